/** Builds whose tasks are jobs of a real Slurm. */
import { describe, expect, test } from "vitest";
import { hasSlurm, testSlurm } from "../helpers/slurm.ts";
import { ALL, LETTERS, slurmProject, withOutcome } from "./project.ts";
import type { CliProject, JsonLine } from "../helpers/cli.ts";

describe.skipIf(!hasSlurm)("a build on Slurm (needs slurmctld, slurmd and root)", () => {
  const slurm = testSlurm();

  /** Submissions that Slurm has seen. */
  const lastId = (): number => Math.max(0, ...slurm().jobs("-t", "all", "-o", "%A").map(Number));
  const build = async (project: CliProject, ...words: string[]): Promise<JsonLine[]> =>
    project.json("build", "--executor", "slurm", ...words);

  test("runs each task once, on nodes or here, and makes the bytes of a local build", async () => {
    const project = slurmProject();
    const lines = await build(project);
    expect(withOutcome(lines, "ran")).toEqual(ALL);
    expect(project.read("started").trim().split("\n").sort()).toEqual(LETTERS);
    expect(project.read("node").trim()).toMatch(/^\d+$/);
    expect(project.read("driver").trim()).toBe("none");
    const jobs = lines.filter(({ type }) => type === "queued").map(({ job }) => job);
    expect(new Set(jobs).size).toBe(LETTERS.length + 2);
    for (const line of lines.filter(({ type, task }) => type === "task" && task !== "here"))
      expect(line).toMatchObject({
        job: expect.stringMatching(/^\d+(_\d+)?$/) as string,
        node: expect.stringMatching(/^n[01]$/) as string,
      });

    const before = lastId();
    const again = await build(project);
    expect(withOutcome(again, "ran")).toEqual([]);
    expect(lastId()).toBe(before);
    project.write(
      "pipeline.yaml",
      project.read("pipeline.yaml").replace("{ cpu: 1 }", "{ cpu: 2, memory: 300MiB }"),
    );
    expect(withOutcome(await build(project), "ran")).toEqual([]);
    expect(lastId()).toBe(before);

    const local = slurmProject();
    expect(withOutcome(await local.json("build"), "ran")).toEqual(ALL);
    for (const file of [
      "all.txt",
      "show.txt",
      "here.txt",
      ...LETTERS.map((letter) => `letters/${letter}.txt`),
    ])
      expect(project.read(file)).toBe(local.read(file));
  }, 60_000);

  test("gives the job what the settings and the slots say", async () => {
    const project = slurmProject({
      slurm: "{ time: 90m, partition: main, options: [--comment=thesis], poll: 1s }",
      slots: "{ cpu: 2, memory: 300MiB, gpu: 1 }",
      cmd: "scontrol show job --oneliner $SLURM_JOB_ID > ${out}",
    });
    await build(project, "letter:a");
    const job = project.read("letters/a.txt");
    for (const field of [
      "TimeLimit=01:30:00",
      "Partition=main",
      "Comment=thesis",
      "NumCPUs=2",
      "MinMemoryNode=300M",
      "Requeue=0",
    ])
      expect(job).toContain(field);
    expect(job).toMatch(/TresPerNode=gres:gpu:1/);
  }, 60_000);

  test("lets a rule, the file and the machine say it, the nearest first", async () => {
    const project = slurmProject({
      slurm: '{ time: "${limit}", poll: 1s }',
      cmd: "scontrol show job --oneliner $SLURM_JOB_ID > ${out}",
      rule: "slurm: { options: [--comment=rule] }",
    });
    project.write(
      "pipeline.yaml",
      project.read("pipeline.yaml").replace("version: 1", "version: 1\nparams: params.yaml"),
    );
    project.write("params.yaml", "limit: 20m\n");
    project.write(
      "config/lq/config.yaml",
      "executor: slurm\nslurm: { time: 1m, options: [--comment=machine] }\n",
    );
    const { code } = await project.lqIn({ XDG_CONFIG_HOME: project.path("config") }, "build", "letter:a");
    expect(code).toBe(0);
    expect(project.read("letters/a.txt")).toMatch(/TimeLimit=00:20:00.*Comment=rule/);
  }, 60_000);

  test("gives 14 tasks with a GPU to 8 devices, none to two at once", async () => {
    const project = slurmProject({
      slots: "{ gpu: 1 }",
      cmd: "echo + $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES >> devices; sleep 1; echo - $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES >> devices; echo $CUDA_VISIBLE_DEVICES > ${out}",
    });
    project.write("pipeline.yaml", project.read("pipeline.yaml").replace("k, l]", "k, l, m, n]"));
    await build(project, "letter");
    const held = new Set<string>();
    const seen = new Set<string>();
    for (const line of project.read("devices").trim().split("\n")) {
      const device = line.slice(2);
      if (line.startsWith("+")) expect(held.has(device)).toBe(false);
      if (line.startsWith("+")) held.add(device);
      else held.delete(device);
      seen.add(device);
    }
    expect(seen.size).toBe(8);
  }, 60_000);

  test("packs tasks whose durations are known", async () => {
    const project = slurmProject({ slots: "{ cpu: 8 }" });
    await build(project, "letter");
    project.write(
      "pipeline.yaml",
      project
        .read("pipeline.yaml")
        .replace("echo ${letter} > ${out}", "echo ${letter} $SLURM_JOB_ID > ${out}"),
    );
    const lines = await build(project, "letter");
    expect(withOutcome(lines, "ran")).toHaveLength(LETTERS.length);
    // Two places, so at least six packs.
    const jobs = LETTERS.map((letter) => project.read(`letters/${letter}.txt`).split(" ")[1]);
    expect(new Set(jobs).size).toBeLessThanOrEqual(8);
    expect(new Set(jobs).size).toBeGreaterThanOrEqual(6);
  }, 60_000);

  test("refuses what Slurm would refuse, before anything runs", async () => {
    const refused = async (slurmText: string, slots: string, place: string, text: string): Promise<void> => {
      const project = slurmProject({ slurm: slurmText, slots });
      const { code, stderr } = await project.lq("build", "--executor", "slurm");
      expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
      expect(stderr).toContain(place);
      expect(project.has("started")).toBe(false);
    };
    await refused("{ partition: nowhere }", "{ cpu: 1 }", "pipeline.yaml:4:21", "Invalid partition");
    await refused(
      "{ time: 3d }",
      "{ cpu: 1 }",
      "pipeline.yaml:4:16",
      "the limit of the default partition is 48 h 00 min",
    );
    await refused("{}", "{ memory: 900GiB }", "pipeline.yaml:6:3", "can never start");
    await refused(
      "{ options: [--job-name=x] }",
      "{ cpu: 1 }",
      "pipeline.yaml:4:20",
      "lq gives this argument itself",
    );
    await refused("{ partitoin: x }", "{ cpu: 1 }", "pipeline.yaml:4:10", 'did you mean "partition"');
  }, 60_000);
});

test("says what is missing where there is no Slurm", async () => {
  const project = slurmProject();
  const { code, stderr } = await project.lqIn({ PATH: "/nowhere" }, "build", "--executor", "slurm");
  expect(code).toBe(2);
  expect(stderr).toContain("there is no sbatch here");
});
