/** A pipeline that was written for a server, on a machine that has less. */
import { beforeEach, expect, test, vi } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

beforeEach(() => {
  vi.stubEnv("XDG_CONFIG_HOME", "/nonexistent");
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
});

function serverProject(): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
axes: { fold: [a, b] }
rules:
  prepare: { cmd: "echo $OMP_NUM_THREADS > \${out}", out: prepared.txt, slots: { cpu: 64 } }
  train:
    each: { fold: fold }
    cmd: "touch \${out}"
    in: prepared.txt
    out: "models/\${fold}.bin"
    slots: { cpu: 64, gpu: 1 }
  table: { cmd: "ls \${in} > \${out}", in: models/, out: table.txt }
  notes: { cmd: "echo $OMP_NUM_THREADS > \${out}", in: prepared.txt, out: notes.txt }
`,
  });
}

const outcomes = (lines: readonly JsonLine[]): string[] =>
  lines.flatMap(({ type, task, outcome }) => (type === "task" ? `${String(task)} ${String(outcome)}` : []));

const NO_GPU = "it asks for 1 GPU and there are 0 (CUDA_VISIBLE_DEVICES allows none)";

test("a request for more cores than there are is capped, and said once a rule", async () => {
  const project = serverProject();
  const { code, stdout, stderr } = await project.lq("build", "notes.txt", "--slots", "cpu=2");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.match(/asks for 64 cores.*/g)).toEqual([
    "asks for 64 cores and there are only 2: its tasks get 2",
  ]);
  expect([project.read("prepared.txt"), project.read("notes.txt")]).toEqual(["2\n", "1\n"]);

  const [forecast] = await project.json("plan", "-f", "prepare", "--slots", "cpu=1");
  expect(forecast).toMatchObject({
    ...{ run: 1, cores: 1, cannotRun: [], behind: 0 },
    capped: ["prepare asks for 64 cores and there is only 1: its tasks get 1"],
  });
});

test("a request for a device that is not there is refused before anything runs", async () => {
  const project = serverProject();
  const { code, stderr } = await project.lq("build");
  expect(code).toBe(2);
  expect(stderr).toContain(`pipeline.yaml:5:3: error: train:a can never start: ${NO_GPU}`);
  expect(project.has("prepared.txt")).toBe(false);
});

test("with -k all others are built, and a warning says first what is going to fail", async () => {
  const project = serverProject();
  const lines = await project.json("build", "-k");
  expect(outcomes(lines).sort()).toEqual([
    "notes ran",
    "prepare ran",
    "table skipped",
    "train:a failed",
    "train:b failed",
  ]);
  const warnings = lines.flatMap(({ type, level, text }) =>
    type === "notice" && level === "warning" ? String(text) : [],
  );
  expect(warnings).toContainEqual(expect.stringContaining(`train:a can never start: ${NO_GPU}`));
  expect(lines.findIndex(({ type }) => type === "notice")).toBeLessThan(
    lines.findIndex(({ type }) => type === "start"),
  );
  const again = await project.lq("build", "-k");
  expect(again.code).toBe(1);
  expect(again.stdout).toContain(`failed train:b: it can never start: ${NO_GPU}`);

  vi.stubEnv("CUDA_VISIBLE_DEVICES", undefined);
  // With a device, only what is left runs.
  expect(outcomes(await project.json("build", "--slots", "gpu=1")).sort()).toEqual([
    "notes fresh",
    "prepare fresh",
    "table ran",
    "train:a ran",
    "train:b ran",
  ]);
});

test("plan refuses nothing: it names the tasks that cannot run here, and leaves them out of the times", async () => {
  const project = serverProject();
  const { code, stdout } = await project.lq("plan", "--slots", "cpu=2");
  expect(code).toBe(0);
  expect(stdout).toBe(`5 of 5 tasks would run
  prepare  1 × 1.0 s         never built
  train    2 × 1.0 s         after prepare
  table    1 × 1.0 s         after train
  notes    1 × 1.0 s         after prepare
  cannot run here: train (2 tasks): ${NO_GPU}
  the times do not count them, nor the task behind them; build -k builds all others
  prepare asks for 64 cores and there are only 2: its tasks get 2
  train asks for 64 cores and there are only 2: its tasks get 2

about 2.0 s with 2 cores (no order takes less than 2.0 s)
work: 0.001 core-hours
durations: 2 unknown, counted as 1 s each (prepare, notes)

critical path, 2.0 s:
  prepare 1.0 s
  notes 1.0 s
`);
  const only = await project.json("plan", "train", "--slots", "cpu=64");
  expect(only).toMatchObject([
    { cannotRun: [{ rule: "train", tasks: 2, why: NO_GPU }], behind: 0, makespan: 1 },
  ]);
});
