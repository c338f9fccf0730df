/** `lq history TARGET --params`: which build had which value. */
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

test("shows how the runs of a target differ, also in the tasks behind it", async () => {
  const project = cliProject({
    "params.yaml": "threshold: 100\nsame: 1\nnet: { width: 4, depth: 2 }\n",
    "pipeline.yaml": `version: 1
params: params.yaml
rules:
  label: { run: label.ts, with: { threshold: "\${threshold}", same: "\${same}", net: "\${net}" }, in: source.txt, out: label.txt }
  table: { run: table.ts, in: label.txt, out: table.txt }
`,
    "source.txt": "s",
    "label.ts":
      'import { writeFileSync } from "node:fs";\nimport { task } from "lq";\n' +
      'const any = { "~standard": { version: 1, vendor: "x", validate: (value: unknown) => ({ value }) } } as const;\n' +
      "export default task({ params: any, run({ output, params }) { writeFileSync(output(), JSON.stringify(params)); } });\n",
    "table.ts":
      'import { copyFileSync } from "node:fs";\nimport { task } from "lq";\n' +
      "export default task({ run({ input, output }) { copyFileSync(input(), output()); } });\n",
  });
  const build = async (...set: string[]) => {
    expect((await project.lq("build", ...set.flatMap((each) => ["--set", each]))).code).toBe(0);
  };
  await build();
  await build("threshold=150");
  await build("threshold=150", "net.width=8");
  await build();
  project.write("source.txt", "t");
  await build();

  const { stdout } = await project.lq("history", "table.txt", "--params", "--csv");
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  expect(rows[0]).toEqual(["build", "started", "outcome", "net.width", "threshold"]);
  expect(rows.slice(1).map(([number, , outcome, ...values]) => [number, outcome, ...values])).toEqual([
    ["4", "restored", "4", "100"],
    ["3", "ran", "8", "150"],
    ["2", "ran", "4", "150"],
    ["1", "ran", "4", "100"],
  ]);
  const where = await project.json(
    "history",
    "table.txt",
    "--params",
    "--where",
    "threshold=150",
    "net.width=4",
  );
  expect(where).toHaveLength(1);
  expect(where[0]).toMatchObject({ type: "run", build: 2, params: { threshold: 150, "net.width": 4 } });

  const label = await project.lq("history", "label.txt", "--params");
  expect(label.stdout.split("\n")[0]).toMatch(
    /^build +started +outcome +net\.width +threshold +file source\.txt$/,
  );
  expect(label.stdout.trim().split("\n")).toHaveLength(6);
  expect((await project.lq("history", "--params")).stderr).toContain("--params needs a target");
  expect((await project.lq("history", "--csv")).stderr).toContain("--where and --csv are for --params");
});
