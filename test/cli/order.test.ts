/** If nothing else decides, ready tasks start in the order of the pipeline. */
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const NAMES = ["m", "c", "z", "a", "k", "b", "y", "d"];

function project(): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
axes:
  name: [${NAMES.join(", ")}]
  found: { in: found.json, at: "[*]" }
rules:
  late: { each: { name: name }, cmd: "cat \${in} > \${out}", in: "early/\${name}", out: "late/\${name}" }
  early: { each: { name: name }, cmd: "echo \${name} > \${out}", out: "early/\${name}" }
  alone: { each: { name: name }, cmd: "echo \${name} > \${out}", out: "alone/\${name}" }
  find: { cmd: "echo '[\\"z\\", \\"a\\", \\"k\\"]' > \${out}", out: found.json }
  expanded: { each: { found: found }, cmd: "cat \${in} > \${out}", in: "early/\${found}", out: "expanded/\${found}" }
`,
  });
}

const of = (rule: string, names = NAMES): string[] => names.map((name) => `${rule}:${name}`);

async function order(tasks: CliProject, type: "start" | "task", ...words: string[]): Promise<unknown[]> {
  const lines = await tasks.json("build", "-j", "1", ...words);
  return lines.filter((line) => line.type === type).map(({ task }) => task);
}

test("tasks of equal priority run in the order of the pipeline, also tasks of expansions", async () => {
  const tasks = project();
  const expanded = of("expanded", ["z", "a", "k"]);
  // A task that others wait for has a higher priority. Tasks of expansions come last.
  expect(await order(tasks, "start")).toEqual([
    ...of("early"),
    ...of("late"),
    ...of("alone"),
    "find",
    ...expanded,
  ]);
});

test("a task that becomes ready later starts before tasks that come after it in the pipeline", async () => {
  const tasks = cliProject({
    "pipeline.yaml": `version: 1
axes: { name: [${NAMES.join(", ")}] }
rules:
  late: { each: { name: name }, cmd: "cat \${in} > \${out}", in: "early/\${name}", out: "late/\${name}" }
  alone: { each: { name: name }, cmd: "echo \${name} > \${out}", out: "alone/\${name}" }
  early: { each: { name: name }, cmd: "echo \${name} > \${out}", out: "early/\${name}" }
`,
  });
  expect(await order(tasks, "start")).toEqual([...of("early"), ...of("late"), ...of("alone")]);
});

test("of two tasks with one key the first runs, and results are restored in order", async () => {
  const tasks = cliProject({
    "pipeline.yaml": `version: 1
axes: { name: [${NAMES.join(", ")}] }
rules:
  same: { each: { name: name }, run: same.ts, out: "same/\${name}" }
  other: { each: { name: name }, cmd: "echo \${name} > \${out}", out: "other/\${name}" }
`,
    "same.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ output }) => writeFileSync(output(), "same") });
`,
  });
  expect(await order(tasks, "start")).toEqual(["same:m", ...of("other")]);
  for (const folder of ["same", "other"]) tasks.remove(folder);
  expect(await order(tasks, "task", "other")).toEqual(of("other"));
});
