/** LQ_DEBUG: the engine says on stderr what it does. */
import { expect, onTestFinished, test, vi } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const PIPELINE = `version: 1
axes: { case: { glob: "src/*.txt" } }
rules:
  upper: { each: [case], cmd: "tr a-z A-Z < \${in} > \${out}", in: "src/\${case}.txt", out: "up/\${case}.txt" }
`;

function debugging(areas: string): void {
  vi.stubEnv("LQ_DEBUG", areas);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test("each area says what it does and why", async () => {
  debugging("all");
  const project = cliProject({ "pipeline.yaml": PIPELINE, "src/a.txt": "a\n" });
  const { code, stderr } = await project.lq("build");
  expect(code).toBe(0);
  const lines = stderr.trimEnd().split("\n");
  expect(lines.map((line) => line.replace(/process \d+/, "process N"))).toEqual([
    "snapshot: cannot be used: there is none",
    `load: read pipeline.yaml in ${project.root}; rules: 1`,
    "load: tasks: 1, pending expansions: 0",
    "plan: upper:a: missing: never built",
    "slots: upper:a gets cpu 1",
    expect.stringMatching(/^exec: process N runs .*tr a-z A-Z < src\/a\.txt > /),
    "exec: process N ended with exit code 0",
    expect.stringMatching(/^snapshot: (?:taken; tasks: 1|not taken: .*)$/),
  ]);
});

test("only the named areas speak, and none without the variable", async () => {
  const project = cliProject({ "pipeline.yaml": PIPELINE, "src/a.txt": "a\n" });
  expect((await project.lq("build", "-n")).stderr).toBe("");
  debugging("plan");
  expect((await project.lq("build", "-n")).stderr).toBe("plan: upper:a: missing: never built\n");
});

test("an unknown area is refused before anything is done", async () => {
  debugging("plan,slot");
  const project = cliProject({ "pipeline.yaml": PIPELINE, "src/a.txt": "a\n" });
  const { code, stderr } = await project.lq("build");
  expect([code, stderr]).toEqual([
    2,
    'error: LQ_DEBUG names "slot", which is not an area\n  hint: known: load, plan, snapshot, slots, exec, all\n',
  ]);
});
