/** What lq does when tasks, jobs, nodes or Slurm itself fail. */
import { chmodSync, mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";
import { hasSlurm, NODES, testSlurm } from "../helpers/slurm.ts";
import { LETTERS, slurmProject, withOutcome } from "./project.ts";

const letters = LETTERS.map((letter) => `letter:${letter}`);
const slow = (seconds: number): string =>
  `echo \${letter} >> started; sleep ${seconds}; echo \${letter} > \${out}`;

describe.skipIf(!hasSlurm)("faults on Slurm (needs slurmctld, slurmd and root)", () => {
  const slurm = testSlurm();
  const build = (project: CliProject, ...words: string[]): Promise<JsonLine[]> =>
    project.json("build", "--executor", "slurm", ...words);
  const started = (project: CliProject): readonly string[] =>
    project.read("started").trim().split("\n").sort();
  const errors = (lines: readonly JsonLine[]): Record<string, unknown> =>
    Object.fromEntries(
      lines
        .filter(({ type, outcome }) => type === "task" && outcome === "failed")
        .map(({ task, error }) => [String(task), error]),
    );

  /** A program of Slurm that is replaced by a script, which finds the real one in $REAL. */
  function stub(project: CliProject, name: string, script: string): NodeJS.ProcessEnv {
    mkdirSync(project.path("bin"), { recursive: true });
    project.write(`bin/${name}`, `#!/bin/bash\nREAL=/usr/bin/${name}\n${script}\n`);
    chmodSync(project.path(`bin/${name}`), 0o755);
    return { PATH: `${project.path("bin")}:${process.env["PATH"]}` };
  }

  test("of commands have the words of a local build, and retries run in the same job", async () => {
    const project = cliProject({
      "pipeline.yaml": `
version: 1
slurm: { time: 5m, poll: 1s }
rules:
  code: { cmd: "exit 3", out: code.txt }
  sig: { cmd: "kill -9 $$", out: sig.txt }
  lack: { cmd: "true", out: lack.txt }
  slow: { cmd: "sleep 60", out: slow.txt, timeout: 1s }
  away: { cmd: [no-such-program], out: away.txt }
  again: { cmd: "(env | grep ^SLURM_JOB_ID= || echo none) >> tries; exit 4", out: again.txt, retries: 2 }
  good: { cmd: "echo good > \${out}", out: good.txt }
`,
    });
    const lines = await build(project, "-k");
    expect(withOutcome(lines, "ran")).toEqual(["good"]);
    const here = await project.json("build", "-k");
    expect(errors(lines)).toEqual({ ...errors(here) });
    expect(Object.keys(errors(lines)).sort()).toEqual(["again", "away", "code", "lack", "sig", "slow"]);
    const tries = project.read("tries").trim().split("\n").slice(0, 3);
    expect(tries).toHaveLength(3);
    expect(new Set(tries).size).toBe(1);
    expect(lines.filter(({ type }) => type === "retry")).toHaveLength(2);
  }, 120_000);

  test("a job that somebody cancels fails its task", async () => {
    const project = slurmProject({ cmd: slow(60) });
    const lq = project.start("build", "letter:a", "--executor", "slurm", "--json");
    await lq.line('"type":"start"');
    slurm().ask("scancel", ...slurm().jobs("-o", "%A"));
    const { code, stdout } = await lq.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/"error":"job \d+ was cancelled by somebody"/);
    expect(started(project)).toEqual(["a"]);
  }, 60_000);

  test("a node that fails loses its tasks to the other one", async () => {
    const project = slurmProject({ cmd: slow(3), slots: "{ cpu: 4 }" });
    const lq = project.start("build", "letter", "--executor", "slurm", "--json");
    await lq.line('"type":"start"');
    slurm().ask("scontrol", "update", `nodename=${NODES[0]}`, "state=down", "reason=test");
    const { code, stdout } = await lq.ended;
    slurm().ask("scontrol", "update", `nodename=${NODES[0]}`, "state=resume");
    expect([
      code,
      withOutcome(
        stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as JsonLine),
        "ran",
      ),
    ]).toEqual([0, letters]);
  }, 120_000);

  test("a resumable task that is warned saves, and goes on in a new job", async () => {
    const project = cliProject({
      "pipeline.yaml": `
version: 1
slurm: { time: 5m, poll: 1s }
rules:
  train:
    cmd: "s=\${scratch}; trap 'echo 50 > $s/epoch; exit 1' TERM; if [ -e $s/epoch ]; then cp $s/epoch \${out}; cat $s/epoch >> starts; exit; fi; echo 0 >> starts; for i in {1..600}; do sleep 0.1; done"
    out: model.txt
    resume: true
    grace: 5s
`,
    });
    const lq = project.start("build", "--executor", "slurm", "--json");
    await lq.line('"type":"start"');
    await project.appears("starts");
    slurm().ask("scancel", "--batch", "--signal=USR1", ...slurm().jobs("-o", "%A"));
    expect((await lq.ended).code).toBe(0);
    expect(project.read("starts")).toBe("0\n50\n");
    expect(project.read("model.txt")).toBe("50\n");
  }, 60_000);

  test("a submission whose answer is lost is not made twice", async () => {
    const project = slurmProject();
    const lost =
      'case "$*" in *lq-check*) exec $REAL "$@";; esac; [ -e lost ] && exec $REAL "$@"; touch lost; $REAL "$@" > /dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1';
    const { code, stdout } = await project.lqIn(
      stub(project, "sbatch", lost),
      "build",
      "letter",
      "--executor",
      "slurm",
      "--json",
    );
    expect([code, started(project)]).toEqual([0, LETTERS]);
    const jobs = stdout
      .split("\n")
      .filter((line) => line.includes('"queued"'))
      .map((line) => line.replace(/.*"job":"(\d+).*/, "$1"));
    expect(new Set(jobs).size).toBe(1);
  }, 60_000);

  test("a limit on jobs makes the rest wait until one of them ends", async () => {
    const project = slurmProject({ slurm: "{ time: 5m, poll: 1s, pack: '0' }", cmd: slow(1) });
    project.write(
      "pipeline.yaml",
      project
        .read("pipeline.yaml")
        .replace("out: letters/", 'slurm: { options: ["--comment=${letter}"] }\n    out: letters/'),
    );
    const limit =
      'case "$*" in *lq-check*) exec $REAL "$@";; esac; [ $(squeue -h | wc -l) -ge 2 ] || exec $REAL "$@"; echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user\'s size and/or time limits)" >&2; exit 1';
    const { code, stdout } = await project.lqIn(
      stub(project, "sbatch", limit),
      "build",
      "letter:[abcd]",
      "--executor",
      "slurm",
      "--json",
    );
    expect([code, started(project)]).toEqual([0, ["a", "b", "c", "d"]]);
    expect(stdout).toContain("Slurm takes no more jobs now");
  }, 120_000);

  test("an input that is edited while its task waits is read as it is then", async () => {
    const project = cliProject({
      "pipeline.yaml": `
version: 1
slurm: { time: 5m, poll: 1s, options: [--begin=now+3] }
rules:
  copy: { cmd: "echo run >> runs; cat \${in} > \${out}", in: in.txt, out: out.txt }
`,
      "in.txt": "old\n",
    });
    const lq = project.start("build", "--executor", "slurm", "--json");
    await lq.line('"type":"queued"');
    project.write("in.txt", "new\n");
    expect((await lq.ended).code).toBe(0);
    expect([project.read("out.txt"), project.read("runs")]).toEqual(["new\n", "run\n"]);
  }, 60_000);

  // The last test: a controller that was killed forgets jobs and gives their ids again. Slurm then drains a node on which
  // two jobs have one id.
  test("a controller that is away for a while costs nothing", async () => {
    const project = slurmProject({ cmd: slow(2) });
    const lq = project.start("build", "letter", "--executor", "slurm", "--json");
    await lq.line('"type":"start"');
    slurm().kill("slurmctld");
    await lq.line("Slurm does not answer");
    await setTimeout(4000);
    slurm().startController();
    const { code, stdout } = await lq.ended;
    expect(code).toBe(0);
    expect(stdout.match(/Slurm does not answer \(/g)).toHaveLength(1);
    expect(started(project)).toEqual(LETTERS);
  }, 120_000);
});
