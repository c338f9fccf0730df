/** `lq trace`: where outputs and cells of tables come from. */
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { FILES, built, builtTwice } from "./table-project.ts";

test("trace follows one cell to its model, sources, params and runs, and to nothing else", async () => {
  const project = await builtTwice();
  const [traced] = await project.json("trace", "table.md", "--cell", "dice", "SMALL");
  expect(traced).toMatchObject({
    cell: { names: ["small", "Dice"], values: { mean: 59 } },
    step: {
      rule: "table",
      from: [
        {
          rule: "score",
          tasks: [{ task: "score:small", outputs: ["scores/small.json"], build: 2 }],
          params: [{ name: "penalty", values: [1] }],
          code: { name: "score.ts", files: 1 },
          from: [
            {
              rule: "train",
              tasks: [{ task: "train:small", build: 2, devices: ["0"] }],
              sources: [{ path: "data/corpus.txt" }],
              from: [],
            },
          ],
        },
      ],
    },
  });
  const { stdout } = await project.lq("trace", "table.md");
  expect(stdout).toContain("score:large and 1 more of score");
  expect(stdout).toContain("source  data/corpus.txt");
});

test("trace shows the runs that a table was made from, even if others have run since", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 3"));
  await project.built("scores/");
  const { stdout, stderr } = await project.lq("trace", "table.md", "--cell", "small");
  expect(stderr).toBe("table is stale now (lq why table.md); this is its last run:\n");
  expect(stdout).toContain("small · Dice: mean 39\n");
  expect(stdout).toContain("param   penalty: 1\n");
  expect(stdout).not.toContain("build 2");
  // A run that is no longer on record is shown as such, and no other run in its place.
  project.remove("cache/history");
  expect((await project.json("trace", "table.md", "--cell", "small"))[0]).toMatchObject({
    state: "stale",
    step: { from: [{ tasks: [{ task: "score:small", key: null }], params: [], from: [] }] },
  });
  project.remove("table.cells.json");
  expect((await project.lq("trace", "table.md", "--cell", "small")).stderr).toContain(
    "table.cells.json is not there",
  );
});

test("tasks with one key are each shown with their own names", async () => {
  const project = cliProject({
    ...FILES,
    "params.yaml": "penalty: 1\nmodels:\n  one: { width: 4 }\n  two: { width: 4 }\n",
    "pipeline.yaml": FILES["pipeline.yaml"]
      .replace('with: { penalty: "\${penalty}" }', 'with: { penalty: "\${models[model].width}" }')
      .replace("run: table.ts", 'cmd: "cat ${in}* > ${out}"')
      .replace("[table.md, table.cells.json]", "table.md"),
  });
  expect((await project.build({ slots: "gpu=1" })).summary).toMatchObject({ ran: 4, restored: 1 });
  for (const name of ["one", "two"]) {
    const { stdout } = await project.lq("trace", `scores/${name}.json`);
    expect(stdout).toContain(`param   models.${name}.width: 4\n`);
    expect(stdout).toContain(`output  models/${name}.txt\n`);
  }
  project.write("params.yaml", "penalty: 1\nmodels:\n  one: { width: 5 }\n  two: { width: 5 }\n");
  await project.build({ targets: ["models/"], slots: "gpu=1" });
  for (const name of ["one", "two"])
    expect((await project.json("why", `scores/${name}.json`))[0]).toMatchObject({
      causes: [
        {
          reasons: [
            { kind: "param", path: `models.${name}.width`, before: 4, after: 5 },
            { kind: "file", path: `models/${name}.txt`, change: "changed" },
          ],
        },
      ],
    });
});

test("trace lists the cells, and refuses what it cannot follow", async () => {
  const project = await built();
  const strange = await project.lq("trace", "table.md", "--cell", "smal", "Dice");
  expect(strange).toMatchObject({ code: 2 });
  expect(strange.stderr).toContain('did you mean "small"?');
  expect((await project.lq("trace", "table.md", "--cell", "Dice")).stderr).toContain("2 cells are named");
  expect((await project.lq("trace", "scores/small.json", "--cell", "Dice")).stderr).toContain("does not say");
  expect((await project.lq("clean")).code).toBe(0);
  expect((await project.lq("trace", "table.md")).stderr).toContain("has not been built yet");
});

test("for an input of names, trace and diff show the files that it names, and the tasks that made them", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  make:
    cmd: "echo made > \${out}"
    out: cases/made
  list:
    run: list.ts
    in: { cases: { names: cases/ } }
    out: list.txt
`,
    "list.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ names, output }) => writeFileSync(output(), names("cases").join()) });
`,
    "cases/a": "1",
  });
  await project.built();
  const { stdout } = await project.lq("trace", "list.txt");
  expect(stdout).toContain("  source  cases/a\n  make\n");

  project.write("cases/b", "2");
  project.write("cases/a", "other content counts for nothing");
  await project.built();
  expect((await project.lq("diff", "list.txt")).stdout).toBe(`list in build 1 → list now
list
  file cases/b added
  output list.txt: 1 line removed, 1 added
    - a,made
    + a,b,made
`);
});
