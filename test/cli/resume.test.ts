import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isAlive } from "../helpers/alive.ts";
import { cliProject, type CliProject, type JsonLine, type Lq } from "../helpers/cli.ts";

/**
 * Learns for 40 steps, each a function of the state before it. Saves every tenth step, and when it is asked to
 * end, which it waits for at step 25 as long as there is no file "go".
 */
const TRAIN = `import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { task } from "lq";
export default task({
  params: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  async run({ output, params: { seed, go }, progress, signal, scratch, log }) {
    const file = join(scratch, "state.json");
    let state = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { step: 0, weight: seed };
    log("starts at step " + state.step);
    const save = () => {
      writeFileSync(file + ".new", JSON.stringify(state));
      renameSync(file + ".new", file);
    };
    while (state.step < 40) {
      if (state.step === 25 && !existsSync(go)) {
        progress(0.5, "halfway " + process.pid);
        await new Promise((resolve, reject) => {
          const timer = setInterval(() => undefined, 1000);
          signal.addEventListener("abort", () => (clearInterval(timer), save(), reject(signal.reason)));
        });
      }
      state = { step: state.step + 1, weight: Math.sin(state.weight * 12.9898 + state.step) };
      if (state.step % 10 === 0) save();
    }
    writeFileSync(output(), JSON.stringify(state));
  },
});
`;

function training(): CliProject {
  const project = cliProject({ "train.ts": TRAIN });
  const go = JSON.stringify(project.path("go"));
  project.write(
    "pipeline.yaml",
    `version: 1
params: params.yaml
rules:
  train: { run: train.ts, with: { seed: "\${seed}", go: ${go} }, out: model.json, resume: true }
`,
  );
  project.write("params.yaml", "seed: 1\n");
  return project;
}

/** @returns the process of the task, which waits at step 25 */
async function halfway(lq: Lq): Promise<number> {
  const line = (await lq.line("halfway")).at(-1) ?? "";
  return Number((JSON.parse(line) as { note: string }).note.split(" ")[1]);
}

async function finish(project: CliProject): Promise<{ readonly model: string; readonly log: string }> {
  project.write("go", "");
  const events = await project.json("build");
  expect(events.find(({ type }) => type === "task")).toMatchObject({ task: "train", outcome: "ran" });
  return { model: project.read("model.json"), log: project.read("cache/logs/train/train.log") };
}

let model: string | undefined;
async function undisturbed(): Promise<string> {
  model ??= (await finish(training())).model;
  return model;
}

test.each([
  ["SIGTERM", 143, 25],
  ["SIGUSR1", 138, 25],
  ["SIGHUP", 129, 25],
  ["SIGKILL", null, 20],
] as const)(
  "after %s a training goes on where it was, and ends with the very bytes of one never interrupted",
  async (signal, code, step) => {
    const project = training();
    const lq = project.start("build", "--json");
    const pid = await halfway(lq);
    lq.kill(signal);
    expect((await lq.ended).code).toBe(code);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(project.has("model.json")).toBe(false);

    const resumed = await finish(project);
    expect(resumed.log).toBe(`starts at step ${step}\n`);
    expect(resumed.model).toBe(await undisturbed());
    // Kept until the task succeeds, not longer.
    expect(readdirSync(project.path("cache/scratch"))).toEqual([]);
  },
);

test("a task with another key never sees the scratch, and the interrupted key finds it again later", async () => {
  const project = training();
  const lq = project.start("build", "--json");
  await halfway(lq);
  lq.kill("SIGTERM");
  await lq.ended;
  project.write("params.yaml", "seed: 2\n");
  expect((await finish(project)).log).toBe("starts at step 0\n");
  project.write("params.yaml", "seed: 1\n");
  expect((await finish(project)).log).toBe("starts at step 25\n");
});

/** Reports that it was asked to save, saves, and ends when there is a file "end". */
const SAVING = `|
      save() { touch asked; until test -e end; do sleep 0.05 || true; done; echo saved > \${scratch}/state; exit 1; }
      trap save TERM
      touch started
      while :; do sleep 0.05 || true; done`;

const savingFor = (grace: string): string =>
  `  save:\n    cmd: ${SAVING}\n    out: never\n    resume: true\n    grace: ${grace}\n`;

function commands(rules: string): CliProject {
  const project = cliProject({ "pipeline.yaml": `version: 1\nrules:\n${rules}` });
  return project;
}

async function exists(project: CliProject, path: string): Promise<void> {
  await expect.poll(() => existsSync(project.path(path))).toBe(true);
}

test("a command gets SIGTERM and its grace to save, and further signals do not shorten the grace", async () => {
  const project = commands(`${savingFor("1h")}  plain: { cmd: "touch plain; sleep 1000", out: never-either }
`);
  const lq = project.start("build", "--json", "-j", "2");
  await exists(project, "started");
  await exists(project, "plain");
  lq.kill("SIGUSR1");
  await exists(project, "asked");
  lq.kill("SIGTERM");
  await lq.line('"task":"plain","outcome":"cancelled"');
  project.write("end", "");
  await lq.line('"task":"save","outcome":"cancelled"');
  expect((await lq.ended).code).toBe(138);
  const [key = ""] = readdirSync(project.path("cache/scratch"));
  expect(project.read(`cache/scratch/${key}/state`)).toBe("saved\n");
});

/** A process and all its descendants. */
function tree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return [pid, ...children.filter(Boolean).flatMap((child) => tree(Number(child)))];
}

test("a batch system that signals every process of a job leaves a command its grace", async ({ skip }) => {
  if (process.platform !== "linux") skip("needs /proc");
  const project = commands(savingFor("1h"));
  const lq = project.start("build", "--json");
  await exists(project, "started");
  lq.kill("SIGSTOP");
  const pids = tree(lq.pid);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // This `sleep` has ended by now.
    }
  }
  lq.kill("SIGCONT");
  await exists(project, "asked");
  project.write("end", "");
  await lq.line('"task":"save","outcome":"cancelled"');
  expect((await lq.ended).code).toBe(143);
  const [key = ""] = readdirSync(project.path("cache/scratch"));
  expect(project.read(`cache/scratch/${key}/state`)).toBe("saved\n");
  expect(pids.filter(isAlive)).toEqual([]);
});

test("a command that still runs after its grace is killed", async () => {
  const project = commands(savingFor("0.2"));
  const lq = project.start("build", "--json");
  await exists(project, "started");
  lq.kill("SIGTERM");
  const { code, stdout } = await lq.ended;
  expect(code).toBe(143);
  expect(JSON.parse(stdout.trim().split("\n").at(-2) ?? "")).toMatchObject({
    outcome: "cancelled",
  } satisfies Partial<JsonLine>);
});

test("SIGINT after another signal ends lq at once", async ({ skip }) => {
  if (process.platform !== "linux") skip("needs /proc");
  const project = commands(savingFor("1h"));
  const lq = project.start("build", "--json");
  await exists(project, "started");
  lq.kill("SIGTERM");
  await exists(project, "asked");
  const pids = tree(lq.pid);
  lq.kill("SIGINT");
  expect((await lq.ended).code).toBe(143);
  // The kernel needs a moment to end the killed processes.
  await expect.poll(() => pids.filter(isAlive)).toEqual([]);
});
