/** What becomes of jobs when the build that submitted them ends. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hasSlurm, testSlurm } from "../helpers/slurm.ts";
import { LETTERS, slurmProject, withOutcome } from "./project.ts";
import type { CliProject, Lq } from "../helpers/cli.ts";

const SLOW = "echo ${letter} >> started; sleep 3; echo ${letter} > ${out}";
const letters = LETTERS.map((letter) => `letter:${letter}`);

describe.skipIf(!hasSlurm)("jobs of a build that ends (needs slurmctld, slurmd and root)", () => {
  const slurm = testSlurm({ cores: 3 });
  const start = (project: CliProject): Lq =>
    project.start("build", "letter", "--executor", "slurm", "--json");

  /** A build of tasks of 3 s each, six at once, some of which run. */
  async function underWay(): Promise<{ readonly project: CliProject; readonly lq: Lq }> {
    const project = slurmProject({ cmd: SLOW });
    const lq = start(project);
    await lq.line('"type":"start"');
    return { project, lq };
  }

  async function next(
    project: CliProject,
  ): Promise<{ readonly ran: readonly string[]; readonly restored: readonly string[] }> {
    const lines = await project.json("build", "letter", "--executor", "slurm");
    return { ran: withOutcome(lines, "ran"), restored: withOutcome(lines, "restored") };
  }

  test("end at Ctrl-C", async () => {
    const { project, lq } = await underWay();
    lq.kill("SIGINT");
    expect((await lq.ended).code).toBe(130);
    await slurm().until(() => slurm().jobs().length === 0, 10);
    expect((await project.lq("jobs")).stdout).toBe("no jobs\n");
  }, 60_000);

  test("go on after SIGTERM, and the next build takes them over", async () => {
    const { project, lq } = await underWay();
    lq.kill("SIGTERM");
    const { code, stdout } = await lq.ended;
    expect(code).toBe(143);
    expect(stdout).toContain("12 jobs go on; the next lq build takes them over, lq jobs --cancel ends them");
    expect(await next(project)).toEqual({ ran: letters, restored: [] });
    expect(project.read("started").trim().split("\n").sort()).toEqual(LETTERS);
  }, 60_000);

  test("go on after SIGKILL; what finished meanwhile is restored", async () => {
    const { project, lq } = await underWay();
    lq.kill("SIGKILL");
    await lq.ended;
    await slurm().until(() => slurm().jobs().length === 0);
    expect(await next(project)).toEqual({ ran: [], restored: letters });
    expect(project.read("started").trim().split("\n").sort()).toEqual(LETTERS);
  }, 60_000);

  test("go on after SIGHUP, and lq jobs lists and ends them", async () => {
    const { project, lq } = await underWay();
    lq.kill("SIGHUP");
    expect((await lq.ended).code).toBe(129);
    const status = (await project.json("status", "letter")).filter(({ type }) => type === "status");
    expect(status.map(({ jobState }) => jobState)).not.toContain(undefined);
    expect(status.map(({ jobState }) => jobState)).toContain("running");
    const jobs = await project.json("jobs");
    expect(jobs).toHaveLength(LETTERS.length);
    expect(jobs.flatMap(({ tasks }) => tasks).sort()).toEqual(letters);
    expect((await project.lq("jobs", "--cancel")).stdout).toContain("12 cancelled");
    await slurm().until(() => slurm().jobs().length === 0, 10);
    expect((await project.lq("jobs")).stdout).toBe("no jobs\n");
  }, 60_000);

  test("are cancelled by the next build if their task has another key by now", async () => {
    const { project, lq } = await underWay();
    lq.kill("SIGTERM");
    await lq.ended;
    project.write("pipeline.yaml", project.read("pipeline.yaml").replace("sleep 3; echo", "echo new"));
    const lines = await project.json("build", "letter", "--executor", "slurm");
    expect(withOutcome(lines, "ran")).toEqual(letters);
    expect(JSON.stringify(lines)).toContain("because the task's key has changed");
    expect(project.read("letters/a.txt")).toBe("new a\n");
    await slurm().until(() => slurm().jobs().length === 0, 10);
  }, 60_000);

  test("belong to the first of two builds; the second waits and finds everything done", async () => {
    const project = slurmProject({ cmd: "echo ${letter} >> started; sleep 1; echo ${letter} > ${out}" });
    const both = [start(project), start(project)];
    const ended = await Promise.all(both.map((lq) => lq.ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(project.read("started").trim().split("\n").sort()).toEqual(LETTERS);
  }, 60_000);

  test("a lock whose holder ran in a job that is over is free; before that, the next build waits for it", async () => {
    const project = slurmProject({ cmd: "echo ${letter} > ${out}" });
    const job = slurm().ask("sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 30");
    const holder = { id: randomUUID(), pid: 4711, started: null, place: "elsewhere", host: "n9", job };
    project.write("cache/lock", JSON.stringify(holder));
    const lq = project.start("build", "letter:a");
    await lq.line(`another container (n9, job ${job}); if that is over, remove cache/lock`);
    slurm().ask("scancel", job);
    expect((await lq.ended).code).toBe(0);
  }, 60_000);
});
