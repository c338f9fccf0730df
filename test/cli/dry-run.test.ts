/** What lq reports before anything runs, besides the state of each task: upcoming tasks, removals, likely mistakes. */
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const FOLDS = `version: 1
axes: { case: { glob: "raw/*.txt" } }
rules:
  prepare: { each: [case], cmd: "cp \${in} \${out}", in: "raw/\${case}.txt", out: "ready/\${case}.txt" }
  split: { cmd: "echo '[0, 1]' > \${out}", in: raw/, out: folds.json }
  train:
    each: { fold: { in: folds.json, at: "[*]" } }
    cmd: "cat \${in}* > \${out}"
    in: ready/
    out: "models/\${fold}.txt"
  score:
    each: { fold: { in: folds.json, at: "[*]" } }
    cmd: "cp \${in} \${out}"
    in: "models/\${fold}.txt"
    out: "scores/\${fold}.txt"
  table: { cmd: "cat \${in}* > \${out}", in: scores/, out: table.txt }
`;

test("rules that get more tasks when a file is there are named, also if they depend on such rules", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDS, "raw/a.txt": "a\n" });
  const train = "has tasks that are known when folds.json is there";
  expect((await project.lq("status", "table.txt")).stdout).toBe(
    `  split  1 missing\n  table  1 pending\n  train  ${train}\n  score  ${train}\n\n` +
      "  missing: never built (split)\n\n1 missing, 1 pending\n",
  );
  expect((await project.json("status", "table.txt")).slice(2)).toEqual(
    ["train", "score"].map((rule) => ({ type: "expanding", rule, files: ["folds.json"] })),
  );
  expect((await project.lq("build", "-n", "table.txt")).stdout).toMatch(
    `would run split: never built\nwould run table\ntrain ${train}\nscore ${train}\n2 would run in `,
  );
  expect((await project.lq("why", "train:0")).stderr).toBe(
    'error: no task of "train:0" is known yet\n' +
      "  hint: they are known when folds.json is up to date: lq build folds.json\n",
  );
  await project.built("table.txt");
  expect((await project.lq("status", "table.txt")).stdout).toBe("all 7 tasks fresh\n");
});

test("outputs that a build would remove are reported before", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDS, "raw/a.txt": "a\n", "raw/b.txt": "b\n" });
  await project.built("prepare");
  project.remove("raw/b.txt");
  const removes = "remove ready/b.txt, which no task makes any more\n";
  expect((await project.lq("status", "prepare")).stdout).toBe(
    "1 task fresh\na build would remove ready/b.txt: no task makes it any more\n",
  );
  expect((await project.json("status", "prepare")).slice(1)).toEqual([
    { type: "removal", path: "ready/b.txt" },
  ]);
  expect((await project.lq("build", "-n", "prepare")).stdout).toContain(`would ${removes}`);
  expect(project.has("ready/b.txt")).toBe(true);
  expect((await project.lq("build", "prepare")).stdout).toContain(
    `removed ${removes.slice("remove ".length)}`,
  );
  expect((await project.lq("status", "prepare")).stdout).toBe("1 task fresh\n");
});

test("rules that have no tasks because nothing matches are reported each time", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDS.slice(0, FOLDS.indexOf("  split")) });
  const empty = 'rule "prepare" has no tasks: there is no file raw/*.txt\n';
  expect((await project.lq("status")).stdout).toBe(`no tasks\n${empty}`);
  for (const flags of [[], [], ["-n"]])
    expect((await project.lq("build", ...flags)).stdout).toMatch(
      new RegExp(`^warning: ${empty.replace("*", "\\*")}`),
    );
  const { code, stderr } = await project.lq("build", "ready/");
  expect([code, stderr]).toEqual([
    2,
    `error: nothing makes "ready/"\n  hint: rule "prepare" would make it, but has no tasks: there is no file raw/*.txt\n`,
  ]);
});

test("a trial run that fails is reported", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  split: { run: split.ts, out: folds.json, shape: true }
  train:
    each: { fold: { in: folds.json, at: "[*]" } }
    cmd: "touch \${out}"
    out: "models/\${fold}.txt"
`,
    "split.ts":
      'import { task } from "lq";\nexport default task({ run() { throw new Error("no cases"); } });\n',
  });
  expect((await project.lq("status")).stdout).toMatch(/\n\n1 missing\nsplit would fail: no cases\n$/);
  expect((await project.json("status")).at(-1)).toEqual({
    type: "notice",
    level: "warning",
    text: "split would fail: no cases",
  });
});

test("a command that never names ${out} is reported before it runs", async () => {
  const project = cliProject({
    "pipeline.yaml":
      'version: 1\nrules: { a: { cmd: "echo > a.txt", out: a.txt }, b: { cmd: "touch ${out}", out: b } }\n',
  });
  const warning = 'warning: the command of rule "a" never names ${out}';
  for (const flags of [["-n"], []]) {
    const { stdout } = await project.lq("build", ...flags);
    expect(stdout.split("\n").filter((line) => line.startsWith("warning"))).toEqual([
      expect.stringContaining(warning),
    ]);
  }
});

test("a target that nothing makes: the message has its place, its kind, and a suggestion", async () => {
  const project = cliProject({
    "pipeline.yaml":
      'version: 1\ndefault: [tables/b.md]\nrules: { a: { cmd: "touch ${out}", out: tables/a.md } }\n',
    "src/a.txt": "",
  });
  const said = async (...words: string[]) => (await project.lq("build", ...words)).stderr;
  expect(await said()).toBe(`pipeline.yaml:2:11: error: nothing makes "tables/b.md"
  2 | default: [tables/b.md]
    |           ^^^^^^^^^^^
  hint: did you mean "tables/a.md"?
`);
  expect(await said("src/a.txt")).toContain("hint: it is a source: rules read it, and none makes it");
  await project.built("a");
  expect(await said("-C", "tables", "tables/a.md")).toContain('hint: did you mean "a.md"?');
});
