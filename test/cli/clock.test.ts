/** Clocks that jump, on this machine or where files were made: lq misses no change and runs no task without need. */
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
    // The same size and the same time.
    writeFileSync(project.path("in.txt"), `${i}${i}${i}x`);
    utimesSync(project.path("in.txt"), time, time);
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1 });
    expect(project.read("out.txt")).toBe(`${i}${i}${i}x`);
  }
});

/**
 * Shifts the clock of lq, and of every Node process that it starts, against the clock of the file system, as if
 * somebody had set the clock.
 * @param shift JavaScript expression for milliseconds, evaluated at each reading of the clock
 */
function shiftClock(project: CliProject, shift: string): void {
  project.write(
    "clock.mjs",
    `const Real = Date;
const now = () => Real.now() + ${shift};
globalThis.Date = class extends Real {
  constructor(...words) {
    super(...(words.length > 0 ? words : [now()]));
  }
  static now() {
    return now();
  }
};
let seed = 1;
/** JavaScript for a number from -1 to 1, a different one at each call. */
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
}
`,
  );
  vi.stubEnv("NODE_OPTIONS", `--import=${project.path("clock.mjs")}`);
}

test("a clock that is set back and forth between builds", async () => {
  // Another rule makes the path each time. The times in the records say which of them wrote it last.
  const pipeline = (rule: string): string =>
    `version: 1\nrules:\n  ${rule}: { cmd: "cat \${in} > \${out}; echo ${rule} >> \${out}", in: in.txt, out: out.txt }\n`;
  const project = cliProject({});
  for (const [i, shift] of [DAY, 0, -3650 * DAY, 36_500 * DAY].entries()) {
    shiftClock(project, String(shift));
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

test("a clock that jumps by years at every reading while lq runs", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const project = cliProject({
    ...Object.fromEntries(names.map((name) => [`src/${name}.txt`, `${name}\n`])),
    "pipeline.yaml": `version: 1
axes:
  name: { glob: "src/*.txt" }
rules:
  upper:
    each: { name: name }
    cmd: "tr a-z A-Z < \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "upper/\${name}.txt"
    timeout: 1h
    retries: 2
  twice:
    each: { name: name }
    run: twice.ts
    in: "src/\${name}.txt"
    out: "twice/\${name}.txt"
    timeout: 1h
    retries: 2
  pair:
    each: { name: name }
    cmd: "cat \${in} > \${out}"
    in: ["upper/\${name}.txt", "twice/\${name}.txt"]
    out: "pair/\${name}.txt"
  flaky:
    cmd: "test -e tried || { touch tried; exit 1; }; echo done > \${out}"
    out: flaky.txt
    timeout: 1h
    retries: 2
  all:
    cmd: "cat \${in}*.txt > \${out}"
    in: pair/
    out: all.txt
`,
    // The monotonic clock advances by a fifth of a second at each reading.
    "twice.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
let steady = 0;
performance.now = () => (steady += 200);
export default task({
  run({ input, output, progress }) {
    const text = readFileSync(input(), "utf8");
    for (const fraction of [0.2, 0.4, 0.6, 0.8]) progress(fraction);
    writeFileSync(output(), text + text);
  },
});
`,
  });
  shiftClock(project, `random() * ${3650 * DAY}`);
  const build = async (): Promise<string[]> => {
    const lines = await project.json("build");
    expect(lines.filter(({ level }) => level === "warning")).toEqual([]);
    const tasks = lines.filter(({ type, outcome }) => type === "task" && outcome !== "fresh");
    for (const { seconds } of tasks) expectSane(seconds);
    return tasks.map(({ outcome, task }) => `${String(outcome)} ${String(task)}`).sort();
  };
  const each = (outcome: string, ...tasks: string[]): string[] => tasks.map((task) => `${outcome} ${task}`);

  const first = await project.json("build");
  expect(first.at(-1)).toMatchObject({ ran: 20, failed: 0 });
  expect(first.filter(({ type }) => type === "retry").map(({ task }) => task)).toEqual(["flaky"]);
  expect(first.filter(({ type }) => type === "progress")).toHaveLength(4 * names.length);
  expect(await build()).toEqual([]);
  project.write("src/b.txt", "beta\n");
  expect(await build()).toEqual(each("ran", "all", "pair:b", "twice:b", "upper:b"));
  for (const path of ["upper/a.txt", "twice", "all.txt"]) project.remove(path);
  expect(await build()).toEqual(each("restored", "all", ...names.map((name) => `twice:${name}`), "upper:a"));
  project.write("src/b.txt", "b\n");
  expect(await build()).toEqual(each("restored", "all", "pair:b", "twice:b", "upper:b"));
  expect(project.read("all.txt")).toBe(
    names.map((name) => `${name.toUpperCase()}\n${name}\n${name}\n`).join(""),
  );

  const history = await project.json("history");
  expect(history.map(({ ran, restored }) => [ran, restored])).toEqual([
    [0, 4],
    [0, 8],
    [4, 0],
    [20, 0],
  ]);
  for (const { build, seconds } of history) {
    expectSane(seconds);
    const words = ["--build", String(build)];
    const [report] = await project.json("report", ...words, "--chrome-trace", "trace.json");
    expectSane(report?.["seconds"]);
    expectSane(report?.["work"]);
    const { traceEvents } = JSON.parse(project.read("trace.json")) as {
      traceEvents: { ts?: number; dur?: number }[];
    };
    for (const { ts = 0, dur = 1 } of traceEvents) [ts, dur].forEach((time) => expectSane(time / 1e6));
  }
  for (const run of await project.json("history", "upper")) expectSane(run["seconds"]);

  for (const name of ["b", "c"]) project.write(`src/${name}.txt`, `${name} edited\n`);
  const [plan] = await project.json("plan");
  expect(plan).toMatchObject({ run: 7, fresh: 13, durations: { record: 7 } });
  expectSane(plan?.["makespan"]);
  expect((await project.lq("cache", "gc", "-n", "--keep-days", "1")).code).toBe(0);
  const edited = ["all", "pair:b", "pair:c", "twice:b", "twice:c", "upper:b", "upper:c"];
  expect(await build()).toEqual(each("ran", ...edited));
});

function expectSane(seconds: unknown): void {
  expect(seconds).toBeGreaterThanOrEqual(0);
  expect(seconds).toBeLessThan(3600);
}
