/** What a build left on the disk is not taken for a source by the next one, even before the graph has expanded to it. */
import { expect, it } from "vitest";
import { Project } from "../helpers/project.ts";

const GROWN = `version: 1
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

it("a file that a task made which the graph has yet to grow", async () => {
  const project = new Project({
    "pipeline.yaml": GROWN,
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
  // Nor when lq has no record of making it.
  project.remove("cache");
  expect((await project.build({ targets: ["reports/a.txt"], force: true })).ran).toContain("train:a/only");
});

it("a file that only what comes after it could make is a source", async () => {
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
