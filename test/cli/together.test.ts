/** Several lq on one project at once: nothing is done twice, nothing breaks. */
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

const summaryOf = (stdout: string): JsonLine =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as JsonLine;

test("four builds share the work; status beside them always answers", async () => {
  const project = copies();
  const builds = [1, 2, 3, 4].map(() => project.start("build", "--json").ended);
  let building = true;
  const over = Promise.all(builds).finally(() => (building = false));
  let looks = 0;
  do {
    const { code, stdout, stderr } = await project.lq("status", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    for (const line of stdout.trimEnd().split("\n")) expect(() => void JSON.parse(line)).not.toThrow();
    looks += 1;
  } while (building);
  const ended = await over;
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  const ran = ended.map(({ stdout }) => summaryOf(stdout)["ran"] as number);
  expect(ran.reduce((sum, each) => sum + each, 0)).toBe(TASKS);
  expect(project.read("all.txt")).toBe(ALL);
  expect(looks).toBeGreaterThan(0);
});

test("clean during a build waits for it, and a build during that for the clean", async () => {
  const project = copies();
  const first = project.start("build", "--json");
  await first.line('"start"');
  const cleaned = project.lq("clean");
  const second = project.start("build", "--json").ended;
  const ends = [await first.ended, await cleaned, await second];
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(summaryOf(ends[0]?.stdout ?? "")).toMatchObject({ ran: TASKS, failed: 0 });
  // Whoever of the other two was first: what is there now is all or nothing, and a build makes it whole.
  expect(summaryOf((await project.lq("build", "--json")).stdout)).toMatchObject({ ran: 0, failed: 0 });
  expect(project.read("all.txt")).toBe(ALL);
});

test("a build beside a watch: one of them does the work", async () => {
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
