/** Inputs that are not there stop only the tasks that need them. */
import { expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

function withoutOne(): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
axes: { name: [ann, bea, cleo] }
rules:
  copy: { each: [name], cmd: "cp \${in} \${out}", in: "src/\${name}.txt", out: "copy/\${name}.txt" }
  twice: { each: [name], cmd: "cat \${in} \${in} > \${out}", in: "copy/\${name}.txt", out: "twice/\${name}.txt" }
  notes: { cmd: "cp \${in} \${out}", in: notes.md, out: notes.txt }
`,
    "src/ann.txt": "a",
    "src/cleo.txt": "c",
    "note.md": "text",
  });
}

const outcomes = (lines: readonly JsonLine[]): string[] =>
  lines
    .flatMap(({ type, task, outcome }) => (type === "task" ? `${String(task)} ${String(outcome)}` : []))
    .sort();

const B = `nothing makes "src/bea.txt", which "copy:bea" reads, and it is not there`;
const NOTES = `nothing makes "notes.md", which "notes" reads, and it is not there`;

test("status counts the tasks that lack an input, suggests what was meant, and goes on", async () => {
  const project = withoutOne();
  const { code, stdout, stderr } = await project.lq("status");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toBe(`  copy   2 missing, 1 lacks an input
  twice  3 pending
  notes  1 lacks an input

  missing: never built (2 tasks, copy:ann …)
  lacks an input: ${B} (make it with a rule, or put the file there)
  lacks an input: ${NOTES} (did you mean "note.md"?)

2 missing, 3 pending, 2 lack an input
`);
  const lacking = (await project.json("status")).filter(({ lacks }) => (lacks as string[]).length > 0);
  expect(lacking.map(({ task, state, lacks }) => [task, state, lacks])).toEqual([
    ["copy:bea", "pending", ["src/bea.txt"]],
    ["notes", "pending", ["notes.md"]],
  ]);
  expect((await project.lq("why", "copy/bea.txt")).stdout).toBe(
    "copy:bea cannot run: src/bea.txt is not there\n",
  );
});

test("a build refuses, and names all inputs that are not there; with -k it builds the others", async () => {
  const project = withoutOne();
  project.remove("src/cleo.txt");
  const refused = await project.lq("build");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${B}; the same holds for src/cleo.txt\n`);
  expect(refused.stderr).toContain(NOTES);
  expect(project.has("copy")).toBe(false);

  const lines = await project.json("build", "-k");
  expect(outcomes(lines)).toEqual([
    "copy:ann ran",
    "copy:bea failed",
    "copy:cleo failed",
    "notes failed",
    "twice:ann ran",
    "twice:bea skipped",
    "twice:cleo skipped",
  ]);
  expect(lines.flatMap(({ type, text }) => (type === "notice" ? [text] : []))).toEqual([
    `${B}; the same holds for src/cleo.txt (make it with a rule, or put the file there)`,
    `${NOTES} (did you mean "note.md"?)`,
  ]);
  expect(lines.find(({ task }) => task === "copy:bea")).toMatchObject({
    error: "its input src/bea.txt is not there",
  });

  project.write("src/bea.txt", "b");
  const again = await project.lq("build", "-k", "--json");
  expect(again.code).toBe(1);
  project.write("src/cleo.txt", "c");
  project.write("notes.md", "text");
  expect(outcomes(await project.json("build"))).toEqual([
    "copy:ann fresh",
    "copy:bea fresh",
    "copy:cleo ran",
    "notes ran",
    "twice:ann fresh",
    "twice:bea fresh",
    "twice:cleo ran",
  ]);
});

test("a dry run and plan answer too, and say what a build would refuse", async () => {
  const project = withoutOne();
  const dry = await project.lq("build", "-n");
  expect(dry.code).toBe(1);
  expect(dry.stdout).toContain(`lq build would refuse: ${B}`);
  expect(dry.stdout).toContain("would run copy:ann");
  const [forecast] = await project.json("plan");
  expect(forecast).toMatchObject({
    cannotRun: [
      { rule: "copy", tasks: 1, why: "src/bea.txt is not there" },
      { rule: "notes", tasks: 1, why: "notes.md is not there" },
    ],
    behind: 1,
  });
});
