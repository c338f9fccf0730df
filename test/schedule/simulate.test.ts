import { describe, expect, it } from "vitest";
import { machine as gpuMachine, studyAtFullScale } from "../../bench/full-scale.ts";
import type { SlotRequest } from "../../src/model/model.ts";
import type { Capacity } from "../../src/schedule/capacity.ts";
import { play as playOnce, type Workload } from "../../src/schedule/play.ts";
import { priorities } from "../../src/schedule/priorities.ts";
import { simulate } from "../../src/schedule/simulate.ts";
import { seeded } from "./random.ts";

const GiB = 2 ** 30;

interface Job {
  readonly seconds: number;
  readonly slots: SlotRequest;
  readonly after: readonly Job[];
}

function gpu(memory: number | null = null, count = 1): SlotRequest {
  const request = { count, optional: false, memory, whole: memory === null, type: null };
  return { cpu: 0, memory: 0, gpu: request, pools: new Map() };
}

function machine(gpus: number): Capacity {
  const devices = Array.from({ length: gpus }, (_, i) => {
    return { id: String(i), uuid: String(i), memory: 80 * GiB, type: "H100", group: "H100" };
  });
  return { cpu: 4, cores: 4, memory: 0, devices, trouble: null, pools: new Map() };
}

function workload(tasks: readonly Job[]): Workload<Job> {
  return {
    tasks,
    dependencies: (job) => job.after,
    seconds: (job) => job.seconds,
    slots: (job) => job.slots,
  };
}

function play(tasks: readonly Job[], gpus: number) {
  return simulate(workload(tasks), machine(gpus));
}

describe("a simulated build", () => {
  it("takes as long as tasks that wait for each other and for devices", () => {
    const first = { seconds: 10, slots: gpu(), after: [] };
    const shares = [1, 2, 3].map((n) => ({ seconds: n, slots: gpu(40 * GiB), after: [first] }));
    const both = { seconds: 5, slots: gpu(null, 2), after: shares };
    expect(play([first, ...shares, both], 2)).toEqual({
      makespan: 18,
      criticalPath: { tasks: [first, shares[2], both], seconds: 18 },
      evenly: 11.5,
      coreSeconds: 0,
      deviceSeconds: 10 + 3 + 10,
    });
    expect(() => play([{ ...both, after: [] }], 1)).toThrow("1 tasks could never start");
  });

  it("takes at most 5 % longer than the lower bound for many small tasks (random graphs)", () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seeded(seed);
      const jobs: Job[] = [];
      for (let i = 0; i < 400; i++) {
        const after = i < 40 ? [] : [jobs[random.below(i)]!, jobs[random.below(i)]!];
        jobs.push({ seconds: 1 + 9 * random.next(), slots: gpu(), after: [...new Set(after)] });
      }
      const gpus = 1 + random.below(12);
      const { makespan, criticalPath, evenly } = play(jobs, gpus);
      const bound = Math.max(criticalPath.seconds, evenly);
      expect(makespan).toBeGreaterThanOrEqual(bound - 1e-6);
      expect(makespan / bound, `seed ${seed}, ${gpus} devices`).toBeLessThanOrEqual(1.05);
    }
  });

  it("does not leave long tasks for the end, when they cannot use all devices", () => {
    // Four trainings wait for 20 short tasks each. If all short tasks ran first on three devices, three trainings would
    // run together and the fourth alone after them.
    const jobs = Array.from({ length: 4 }, () => {
      const labels = Array.from({ length: 20 }, () => ({ seconds: 1, slots: gpu(), after: [] }));
      return [...labels, { seconds: 40, slots: gpu(), after: labels }];
    }).flat();
    const { makespan, evenly } = play(jobs, 3);
    expect(evenly).toBe(80);
    expect(makespan).toBeLessThanOrEqual(100);
  });

  it("ends equal tasks in their order, whichever of the two priorities it uses", () => {
    const jobs = Array.from({ length: 4 }, () => {
      const labels = Array.from({ length: 20 }, () => ({ seconds: 1, slots: gpu(), after: [] }));
      return [...labels, { seconds: 40, slots: gpu(), after: labels }];
    }).flat();
    for (const gpus of [1, 3]) {
      const load = workload(jobs);
      const { ends } = playOnce(load, machine(gpus), priorities(load, machine(gpus)));
      for (const seconds of [1, 40]) {
        const alike = jobs.filter((job) => job.seconds === seconds).map((job) => ends.get(job));
        expect(alike, `${gpus} devices`).toEqual(alike.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
      }
    }
  });

  it("of the study at the paper's full scale takes at most 5 % longer than the lower bound", () => {
    const jobs = studyAtFullScale(1, 10);
    for (const gpus of [1, 2, 4, 8, 16, 32, 64]) {
      const { makespan, criticalPath, evenly } = simulate(workload(jobs), gpuMachine(gpus));
      const bound = Math.max(criticalPath.seconds, evenly);
      expect(makespan).toBeGreaterThanOrEqual(bound - 1e-6);
      expect(makespan / bound, `${gpus} devices`).toBeLessThanOrEqual(1.05);
    }
  });
});
