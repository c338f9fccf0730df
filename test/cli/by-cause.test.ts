/** Tasks with one cause are one line. */
import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const FILES = {
  "params.yaml": "x: 1\ny: 1\n",
  "pipeline.yaml": `version: 1
params: params.yaml
axes: { c: [a, b, c, d] }
rules:
  prep: { each: [c], cmd: "echo \${c} \${x} \${y} > \${out}", out: "p/\${c}.txt" }
  count: { each: [c], cmd: "cat \${in} > \${out}", in: "p/\${c}.txt", out: "s/\${c}.txt" }
`,
};

test("accept shows the changes that it ignores once for the tasks that have them", async () => {
  const project = cliProject(FILES);
  await project.built();
  project.write("params.yaml", "x: 2\ny: 3\n");
  const told = "4 tasks, prep:a …: params x: 1 → 2; params y: 1 → 3\n4 ";
  expect((await project.lq("accept", "-n", "count")).stdout).toMatch(
    RegExp(`^would accept ${told}would accept, 4 fresh`),
  );
  expect((await project.lq("accept", "count")).stdout).toMatch(RegExp(`^accepted ${told}accepted, 4 fresh`));
});

test("status has one line for the tasks behind an undone param, and no task of the cache was never built", async () => {
  const project = cliProject(FILES);
  await project.built();
  project.write("params.yaml", "x: 2\ny: 1\n");
  await project.built();
  project.write("params.yaml", "x: 1\ny: 1\n");
  expect((await project.lq("status")).stdout).toContain(
    "  restorable: params x: 2 → 1 (4 tasks, prep:a …)\n" +
      "  restorable: file p/a.txt changed and 3 more like it (4 tasks, count:a …)\n\n",
  );
  for (const path of ["p", "s", "cache/state"]) rmSync(project.path(path), { recursive: true });
  expect((await project.lq("status")).stdout).toContain(
    "  restorable: not built here before (8 tasks, prep:a …)\n",
  );
  expect((await project.lq("why", "prep:a")).stdout).toContain("not built here before");
});
