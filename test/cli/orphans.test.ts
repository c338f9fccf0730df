/** Outputs of tasks that are gone: those of single tasks are removed, those that may come back are kept. */
import { utimesSync } from "node:fs";
import { expect, test } from "vitest";
import { actionsIn } from "../../src/store/contents.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const SEGMENT = `segment: { each: { case: CASES }, cmd: "echo seg >> ran; cp \${in} \${out}", in: "raw/\${case}.txt", out: "seg/\${case}.txt" }`;
const OTHER = `  other: { cmd: "echo other > \${out}", out: other.txt }`;
const RAW = { "raw/a.txt": "a\n", "raw/b.txt": "b\n" };

function pipeline(...rules: readonly string[]): string {
  return `version: 1\nparams: params.yaml\nrules:\n${[OTHER, ...rules.map((rule) => `  ${rule}`)].join("\n")}\n`;
}

const segment = (cases: string): string => SEGMENT.replace("CASES", cases);
const WHEN = `segment: { when: "\${on}", each: { case: [a, b] }, cmd: "echo seg >> ran; cp \${in} \${out}", in: "raw/\${case}.txt", out: "seg/\${case}.txt" }`;
const NESTED = `segment: { each: { set: [a, b], case: { in: "lists/\${set}.json", at: cases } }, cmd: "echo seg >> ran; echo \${case} > \${out}", out: "seg/\${set}/\${case}.txt" }`;

interface Case {
  readonly title: string;
  readonly rule: string;
  readonly lose: (project: CliProject) => void;
  /** The outputs that no task makes then. */
  readonly lost: readonly string[];
  readonly why: string;
}

const LOST = ["seg/a.txt", "seg/b.txt"];

const CASES: readonly Case[] = [
  {
    title: "a glob whose folder is missing",
    rule: segment(`{ glob: "raw/*.txt" }`),
    lose: (project) => project.remove("raw"),
    lost: LOST,
    why: "there is no file raw/*.txt",
  },
  {
    title: "a glob whose folder is empty",
    rule: segment(`{ glob: "raw/*.txt" }`),
    lose: (project) => ["raw/a.txt", "raw/b.txt"].forEach((path) => project.remove(path)),
    lost: LOST,
    why: "there is no file raw/*.txt",
  },
  {
    title: "one of several globs that matches nothing",
    rule: `segment: { each: { case: [{ glob: "raw/*.txt" }, { glob: "new/*.txt" }] }, cmd: "echo seg >> ran; echo \${case} > \${out}", out: "seg/\${case}.txt" }`,
    lose: (project) => {
      project.remove("raw");
      project.write("new/c.txt", "c\n");
    },
    lost: LOST,
    why: "there is no file raw/*.txt or new/*.txt",
  },
  {
    title: "a rule that is commented out, or not in the pipeline of this git branch",
    rule: segment("[a, b]"),
    lose: (project) => project.write("pipeline.yaml", pipeline(`# ${segment("[a, b]")}`)),
    lost: LOST,
    why: "the rule is not in the pipeline",
  },
  {
    title: "a map of params that is emptied",
    rule: segment("{ keys: cases }"),
    lose: (project) => project.write("params.yaml", "on: true\ncases: {}\n"),
    lost: LOST,
    why: "its axes have no values",
  },
  {
    title: "a condition on a param that is no longer true",
    rule: WHEN,
    lose: (project) => project.write("params.yaml", "on: false\ncases: { a: 1, b: 1 }\n"),
    lost: LOST,
    why: "its `when` is never true",
  },
  {
    title: "a list in a file that is emptied for one value of an axis",
    rule: NESTED,
    lose: (project) => project.write("lists/b.json", '{ "cases": [] }'),
    lost: ["seg/b/2.txt", "seg/b/3.txt"],
    why: "its axes have no values",
  },
];

function built(rule: string): CliProject {
  return cliProject({
    ...RAW,
    "params.yaml": "on: true\ncases: { a: 1, b: 1 }\n",
    "lists/a.json": '{ "cases": [1] }',
    "lists/b.json": '{ "cases": [2, 3] }',
    "pipeline.yaml": pipeline(rule),
    "new/.keep": "",
  });
}

test.each(CASES)("$title: the outputs stay until lq clean --orphans", async ({ rule, lose, lost, why }) => {
  const project = built(rule);
  await project.built();
  const contents = lost.map((path) => project.read(path));
  lose(project);
  const kept = `kept ${lost[0]} and 1 more of rule "segment": `;
  for (const words of [["status"], ["build", "-n"], ["build"], ["status"], ["build"]]) {
    const { code, stdout } = await project.lq(...words);
    expect([words, code, stdout]).toEqual([words, 0, expect.stringContaining(kept)]);
    expect(stdout).toContain(why);
    expect(stdout).toContain("lq clean --orphans removes them");
    expect(lost.map((path) => project.read(path))).toEqual(contents);
  }
  const line = (await project.json("status")).find(({ type }) => type === "orphans");
  expect(line).toMatchObject({ rule: "segment", paths: lost, why: expect.stringContaining(why) as string });
  const [cleaned] = await project.json("clean", "--orphans", "-n");
  expect(cleaned).toMatchObject({ removed: lost, kept: [] });
  expect(lost.map((path) => project.has(path))).toEqual([true, true]);
  expect((await project.json("clean", "--orphans"))[0]).toMatchObject({ removed: lost, kept: [] });
  expect([lost.map((path) => project.has(path)), project.has("other.txt")]).toEqual([[false, false], true]);
  expect((await project.lq("status")).stdout).not.toContain("kept");
});

test("what was lost by mistake is fresh when it comes back, and its readers never see it go", async () => {
  const project = cliProject({
    ...RAW,
    "params.yaml": "",
    "pipeline.yaml": pipeline(
      segment(`{ glob: "raw/*.txt" }`),
      `table: { cmd: "echo table >> ran; cat \${in}* > \${out}", in: seg/, out: table.txt }`,
    ),
  });
  await project.built();
  project.remove("raw");
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, fresh: 2, removed: 0 });
  expect(project.read("table.txt")).toBe("a\nb\n");
  for (const [path, content] of Object.entries(RAW)) project.write(path, content);
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 0, fresh: 4 });
});

test("an edit of an output that was kept is refused when its rule comes back", async () => {
  const project = built(segment("[a, b]"));
  await project.built();
  project.write("pipeline.yaml", pipeline());
  project.write("seg/a.txt", "mine\n");
  await project.built();
  const { stdout } = await project.lq("clean", "--orphans");
  expect(stdout).toContain("kept seg/a.txt: edited since lq wrote it");
  project.write("pipeline.yaml", pipeline(segment("[a, b]")));
  expect(await project.lq("build")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("seg/a.txt was edited") as string,
  });
  expect(project.read("seg/a.txt")).toBe("mine\n");
});

test.each([
  [
    `segment: { cmd: "mkdir -p \${out}; echo 1 > \${out}x", out: place/ }`,
    `next: { cmd: "echo 2 > \${out}", out: place }`,
  ],
  [`segment: { cmd: "echo 1 > \${out}", out: place }`, `next: { cmd: "echo 2 > \${out}", out: place/x }`],
  [`segment: { cmd: "echo 1 > \${out}", out: place/x }`, `next: { cmd: "echo 2 > \${out}", out: place }`],
  [
    `segment: { cmd: "mkdir -p \${out}; echo 1 > \${out}y", out: place/ }`,
    `next: { cmd: "echo 2 > \${out}", out: place/x }`,
  ],
])("what stands in the way of another output goes: %s, then %s", async (before, after) => {
  const project = cliProject({ "params.yaml": "", "pipeline.yaml": pipeline(before) });
  await project.built();
  project.write("pipeline.yaml", pipeline(after));
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1, failed: 0, removed: 1 });
  project.write("pipeline.yaml", pipeline(before));
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 1, failed: 0 });
});

test("the outputs of a single task that is gone are removed, told and counted; undoing restores them", async () => {
  const project = built(segment("[a, b]"));
  await project.built();
  const then = new Date(Date.now() - 90 * 86_400_000);
  for (const { file } of actionsIn(project.path("cache"))) utimesSync(file, then, then);
  project.write("pipeline.yaml", pipeline(segment("[a]")));
  expect((await project.lq("build", "-n")).stdout).toMatch(/1 output would be removed in/);
  const { stdout } = await project.lq("build");
  expect(stdout).toContain("removed seg/b.txt, which no task makes any more");
  expect(stdout).toMatch(/1 output removed in/);
  expect(stdout).not.toContain("nothing done");
  await project.lq("cache", "gc", "--keep-days", "30");
  project.write("pipeline.yaml", pipeline(segment("[a, b]")));
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 1, fresh: 2, removed: 0 });
  expect(project.read("seg/b.txt")).toBe("b\n");
  expect(project.read("ran")).toBe("seg\nseg\n");
});
