/** Several lq processes on one project: they do no work twice and do not disturb each other. */
import { expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

const NAMES = ["a", "b", "c", "d", "e"];
const TASKS = 2 * NAMES.length + 1;

function copies(): CliProject {
  const project = cliProject({
    "pipeline.yaml": `version: 1
axes:
  name: [${NAMES.join(", ")}]
rules:
  copy: { each: [name], cmd: "cat \${in} > \${out}", in: "src/\${name}", out: "copy/\${name}" }
  twice: { each: [name], cmd: "cat \${in} \${in} > \${out}", in: "copy/\${name}", out: "twice/\${name}" }
  all: { cmd: "cat \${in}* > \${out}", in: twice/, out: all.txt }
`,
  });
  for (const name of NAMES) project.write(`src/${name}`, `${name}\n`);
  return project;
}

const ALL = NAMES.map((name) => `${name}\n${name}\n`).join("");

/** The expected output of each task, by path. */
const OUTPUTS = new Map([
  ...NAMES.flatMap((name) => [
    [`copy:${name}`, { path: `copy/${name}`, content: `${name}\n` }] as const,
    [`twice:${name}`, { path: `twice/${name}`, content: `${name}\n${name}\n` }] as const,
  ]),
  ["all", { path: "all.txt", content: ALL }],
]);

const summaryOf = (stdout: string): JsonLine =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as JsonLine;

test.each([2, 4])(
  "%i builds share the work; status during them always gives a correct answer",
  async (count) => {
    const project = copies();
    const builds = Array.from({ length: count }, () => project.start("build", "--json").ended);
    let building = true;
    const over = Promise.all(builds).finally(() => (building = false));
    do {
      const { code, stdout, stderr } = await project.lq("status", "--json");
      expect([code, stderr]).toEqual([0, ""]);
      for (const line of stdout.trimEnd().split("\n")) {
        const { task, state } = JSON.parse(line) as JsonLine;
        const { path = "", content } = OUTPUTS.get(String(task)) ?? {};
        if (state === "fresh") expect([task, project.read(path)]).toEqual([task, content]);
      }
    } while (building);
    const ended = await over;
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(ended.map(() => [0, ""]));
    const ran = ended.map(({ stdout }) => summaryOf(stdout)["ran"] as number);
    expect(ran.reduce((sum, each) => sum + each, 0)).toBe(TASKS);
    expect(project.read("all.txt")).toBe(ALL);
  },
);

test("clean waits for a running build, and a build for a running clean", async () => {
  const project = copies();
  // A process that opens a named pipe waits for the other end.
  project.fifo("gate");
  const pipeline = project.read("pipeline.yaml");
  project.write(
    "pipeline.yaml",
    `${pipeline}  held: { cmd: "cat gate > \${out}", in: all.txt, out: held.txt }\n`,
  );
  const first = project.start("build", "--json");
  await first.line('"start","task":"held"');
  const cleaned = project.start("clean");
  const second = project.start("build", "--json");
  await Promise.all([cleaned, second].map((lq) => lq.line(`(process ${first.pid})`)));
  expect(project.read("all.txt")).toBe(ALL);
  project.write("gate", "open\n");
  const [built, { code, stdout }, again] = await Promise.all([first.ended, cleaned.ended, second.ended]);
  expect([built.code, code, again.code]).toEqual([0, 0, 0]);
  expect(summaryOf(built.stdout)).toMatchObject({ ran: TASKS + 1, failed: 0 });
  // Either of the other two may come first. Then clean removed everything or the build ran nothing; a build repairs it.
  expect(stdout).toContain(`${TASKS + 1} outputs removed, 0 kept`);
  expect(summaryOf(again.stdout)).toMatchObject({ ran: 0, failed: 0 });
  expect(summaryOf((await project.lq("build", "--json")).stdout)).toMatchObject({ ran: 0, failed: 0 });
  expect(project.read("all.txt")).toBe(ALL);
});

test("if a build and a watch run at once, one of them does the work", async () => {
  const project = copies();
  const watch = project.start("watch", "--json");
  await watch.line('"state":"waiting"');
  project.write("src/a", "A\n");
  const built = await project.lq("build", "--json");
  expect(built.code).toBe(0);
  expect(project.read("all.txt")).toBe(ALL.replaceAll("a", "A"));
  project.write("src/b", "B\n");
  const lines = await watch.line('"task":"all","outcome":"ran"');
  const ran = [...lines, ...built.stdout.split("\n")].filter((line) =>
    line.includes('"task":"copy:a","outcome":"ran"'),
  );
  expect(ran).toHaveLength(1);
  watch.kill("SIGINT");
  expect((await watch.ended).code).toBe(130);
});
