/** lq does not mistake the output of an earlier build for a source, even before the graph has expanded to its task. */
import { expect, it } from "vitest";
import { Project } from "../helpers/project.ts";

const EXPANDED = `version: 1
params: params.yaml
axes:
  name: [a, b]
  item: { in: list.json, at: "items[*]" }
rules:
  list:
    cmd: "cat \${in} > \${out}"
    in: src/list.json
    out: list.json
  train:
    each: { name: name, item: item }
    cmd: "echo \${epochs} \${name} > \${out}"
    out: "models/\${name}.txt"
  report:
    each: { name: name }
    cmd: "cat \${in} > \${out}"
    in: "models/\${name}.txt"
    out: "reports/\${name}.txt"
default: [reports/a.txt, reports/b.txt]
`;

it("an output of a task that a pending expansion will bring is no source", async () => {
  const project = new Project({
    "pipeline.yaml": EXPANDED,
    "params.yaml": "epochs: 1\n",
    "src/list.json": '{ "items": ["only"] }',
  });
  expect((await project.build()).ran).toHaveLength(5);
  expect((await project.build()).summary).toMatchObject({ ran: 0, fresh: 5 });
  const longer = { set: ["epochs=2"] };
  expect((await project.build({ ...longer, dryRun: true })).ran).toHaveLength(4);
  expect((await project.build(longer)).ran).toEqual([
    ...["report:a", "report:b"],
    ...["train:a/only", "train:b/only"],
  ]);
  expect(project.read("reports/a.txt")).toBe("2 a\n");
  // The same without records.
  project.remove("cache");
  expect((await project.build({ targets: ["reports/a.txt"], force: true })).ran).toContain("train:a/only");
});

it("a file that only a task behind it could make is a source", async () => {
  const project = new Project({
    "pipeline.yaml": `version: 1
rules:
  list: { cmd: "cat \${in} > \${out}", in: src.json, out: list.json }
  grow: { each: { item: { in: list.json, at: "items[*]" } }, cmd: "touch \${out}", out: "\${item}.json" }
`,
    "src.json": '{ "items": ["a", "b"] }',
  });
  expect((await project.build()).ran).toEqual(["grow:a", "grow:b", "list"]);
  expect((await project.build()).summary.fresh).toBe(3);
});
