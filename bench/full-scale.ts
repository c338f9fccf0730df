/**
 * The tasks of the paper's full scale, with durations from a seeded model.
 *
 * There are 6,530 cases of five datasets. Seven generators label each case again: the nnU-Net after five folds of
 * training on the dataset, the others as published. Each version is prepared and used for pre-training (40 trainings).
 * Then follow fine-tuning on two targets and training from scratch (90 trainings), and the evaluation.
 */
import type { SlotRequest } from "../src/model/model.ts";
import type { Capacity } from "../src/schedule/capacity.ts";

/** One task of the simulated build. */
export interface Job {
  readonly seconds: number;
  readonly slots: SlotRequest;
  readonly after: readonly Job[];
}

const CASES = { btcv: 30, word: 100, amos: 200, ct1k: 1000, abdomenatlas: 5200 };
const TARGETS = { segthor: 40, flare: 50 };
/** Mean seconds of each generator for one case on one GPU. */
const GENERATORS = {
  nnunet: 60,
  medsam: 90,
  totalseg: 40,
  "stu-s": 30,
  "stu-b": 40,
  "stu-l": 60,
  "stu-h": 120,
};
export const HOUR = 3600;
const CORES_A_GPU = 12;

const CPU: SlotRequest = { cpu: 1, memory: 0, gpu: null, pools: new Map() };
const whole = { count: 1, optional: false, memory: null, whole: true, type: null };
const GPU: SlotRequest = { ...CPU, cpu: 2, gpu: whole };
export const TRAIN: SlotRequest = { ...CPU, cpu: 8, gpu: whole };

/** @param batch number of cases in one task: the same work in fewer tasks */
export function studyAtFullScale(seed: number, batch = 1): readonly Job[] {
  const random = seeded(seed);
  const made: Job[] = [];
  /** A log-normal duration with this mean, like the durations of real cases. */
  const add = (mean: number, spread: number, slots: SlotRequest, after: readonly Job[]): Job => {
    const job = { seconds: mean * Math.exp(spread * normal(random)), slots, after };
    made.push(job);
    return job;
  };
  const quick = (after: readonly Job[]): Job => add(10 * batch, 0.5, CPU, after);
  const train = (hours: number, after: readonly Job[]): Job => add(hours * HOUR, 0.1, TRAIN, after);
  const evaluated = (network: Job, cases: number): Job =>
    add(30 * cases, 0.1, CPU, [add(20 * cases, 0.1, GPU, [network])]);

  const ends: Job[] = [];
  for (const [, cases] of Object.entries(CASES)) {
    const images = Array.from({ length: cases / batch }, () => quick([]));
    const folds = Array.from({ length: 5 }, () => train(12, images));
    const networks = [train(10, [...images, ...images.map((image) => quick([image]))])];
    for (const [name, mean] of Object.entries(GENERATORS)) {
      const labels = images.map((_, i) =>
        add(mean * batch, 0.5, GPU, name === "nnunet" ? [folds[i % 5]!] : []),
      );
      ends.push(...labels.map((label) => quick([label])));
      networks.push(train(10, [...images, ...labels.map((label) => quick([label]))]));
    }
    ends.push(...networks.map((network) => evaluated(network, cases / 5)));
    for (const [, size] of Object.entries(TARGETS)) {
      const prepared = Array.from({ length: size }, () => quick([]));
      const tuned = [prepared, ...networks.map((network) => [...prepared, network])].map((after) =>
        train(10, after),
      );
      ends.push(...tuned.map((network) => evaluated(network, size / 5)));
    }
  }
  quick(ends);
  return made;
}

/** A machine with so many GPUs and 12 cores for each. */
export function machine(gpus: number): Capacity {
  const cores = gpus * CORES_A_GPU;
  const devices = Array.from({ length: gpus }, (_, i) => {
    return { id: String(i), uuid: String(i), memory: 80 * 2 ** 30, type: "H100", group: "H100" };
  });
  return { cpu: cores, cores, memory: 0, devices, trouble: null, pools: new Map() };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Uniform random numbers in [0, 1) by mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
