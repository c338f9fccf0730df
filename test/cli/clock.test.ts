/** A clock that jumps, lq's own or that of whoever made the files: nothing is missed, nothing is done for nothing. */
import { utimesSync, writeFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

afterEach(() => vi.unstubAllEnvs());

const DAY = 86_400_000;

test("files from the future and from long ago are noticed when they change", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  copy: { cmd: "cp \${in} \${out}", in: in.txt, out: out.txt }\n`,
    "in.txt": "aaaa",
  });
  const times = [new Date(Date.now() + DAY), new Date(0), new Date(DAY * 365)];
  for (const [i, time] of times.entries()) {
    project.write("in.txt", `${i}${i}${i}${i}`);
    utimesSync(project.path("in.txt"), time, time);
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1 });
    // The same size, the same time.
    writeFileSync(project.path("in.txt"), `${i}${i}${i}x`);
    utimesSync(project.path("in.txt"), time, time);
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1 });
    expect(project.read("out.txt")).toBe(`${i}${i}${i}x`);
  }
});

/** What lq takes for now differs by this from what the file system does, as when somebody has set the clock since. */
function shiftClock(project: CliProject, milliseconds: number): void {
  project.write(
    "clock.mjs",
    `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...words) {
    super(...(words.length > 0 ? words : [Real.now() + ${milliseconds}]));
  }
  static now() {
    return Real.now() + ${milliseconds};
  }
};
`,
  );
  vi.stubEnv("NODE_OPTIONS", `--import=${project.path("clock.mjs")}`);
}

test("a clock that is set back and forth between builds", async () => {
  // One path, made by another rule each time: which of them wrote it last, the records say with their times.
  const pipeline = (rule: string): string =>
    `version: 1\nrules:\n  ${rule}: { cmd: "cat \${in} > \${out}; echo ${rule} >> \${out}", in: in.txt, out: out.txt }\n`;
  const project = cliProject({});
  for (const [i, shift] of [DAY, 0, -3650 * DAY, 36_500 * DAY].entries()) {
    shiftClock(project, shift);
    const rule = ["first", "second"][i % 2] ?? "";
    project.write("pipeline.yaml", pipeline(rule));
    project.write("in.txt", `${i}\n`);
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1, failed: 0 });
    expect(project.read("out.txt")).toBe(`${i}\n${rule}\n`);
    project.remove("out.txt");
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 1 });
  }
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 0, fresh: 1 });
  project.write("out.txt", "mine\n");
  expect(await project.lq("build")).toMatchObject({ code: 2 });
});
