/**
 * How near the scheduler comes to the fastest schedule there can be, on 1 to 64 GPUs: the paper's full scale played
 * by the simulator of `lq plan` (src/schedule/simulate.ts), with durations from a seeded model.
 *
 *     npx esbuild bench/schedule.ts --bundle --platform=node --format=esm --packages=external --outfile=cache/bench.mjs
 *     node cache/bench.mjs
 *
 * The graph: 6,530 cases of five datasets; seven generators re-label each (the nnU-Net after five folds of training
 * on the dataset, the others as published); every version is prepared, pre-trained on (40 trainings), fine-tuned on
 * two targets beside a training from scratch (90), and evaluated. Results: bench/SCHEDULE.md.
 */
import type { SlotRequest } from "../src/model.ts";
import type { Capacity } from "../src/schedule/capacity.ts";
import { simulate } from "../src/schedule/simulate.ts";

interface Job {
  readonly seconds: number;
  readonly slots: SlotRequest;
  readonly after: readonly Job[];
}

const CASES = { btcv: 30, word: 100, amos: 200, ct1k: 1000, abdomenatlas: 5200 };
const TARGETS = { segthor: 40, flare: 50 };
/** Mean seconds in which a generator labels a case on one GPU. */
const GENERATORS = {
  nnunet: 60,
  medsam: 90,
  totalseg: 40,
  "stu-s": 30,
  "stu-b": 40,
  "stu-l": 60,
  "stu-h": 120,
};
const HOUR = 3600;
const CORES_A_GPU = 12;

const CPU: SlotRequest = { cpu: 1, memory: 0, gpu: null, pools: new Map() };
const whole = { count: 1, optional: false, memory: null, whole: true, type: null };
const GPU: SlotRequest = { ...CPU, cpu: 2, gpu: whole };
const TRAIN: SlotRequest = { ...CPU, cpu: 8, gpu: whole };

const jobs = studyAtFullScale(1);
const trainings = jobs.filter(({ slots }) => slots === TRAIN).length;
console.log(`${jobs.length} tasks, ${trainings} of them trainings\n`);
console.log("| GPUs | makespan h | critical path h | work / slots h | makespan / bound | simulated in s |");
console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
for (const gpus of [1, 2, 4, 8, 16, 32, 64]) {
  const started = performance.now();
  const { makespan, criticalPath, evenly } = simulate(
    {
      tasks: jobs,
      dependencies: ({ after }) => after,
      seconds: (job) => job.seconds,
      slots: (job) => job.slots,
    },
    machine(gpus),
  );
  const bound = Math.max(criticalPath.seconds, evenly);
  const cells = [makespan, criticalPath.seconds, evenly].map((seconds) => (seconds / HOUR).toFixed(1));
  const took = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`| ${gpus} | ${cells.join(" | ")} | ${(makespan / bound).toFixed(3)} | ${took} |`);
}

function machine(gpus: number): Capacity {
  const cores = gpus * CORES_A_GPU;
  const devices = Array.from({ length: gpus }, (_, i) => {
    return { id: String(i), uuid: String(i), memory: 80 * 2 ** 30, type: "H100", group: "H100" };
  });
  return { cpu: cores, cores, memory: 0, devices, trouble: null, pools: new Map() };
}

function studyAtFullScale(seed: number): readonly Job[] {
  const random = seeded(seed);
  const made: Job[] = [];
  /** Durations are log-normal about their mean, as those of real cases are. */
  const add = (mean: number, spread: number, slots: SlotRequest, after: readonly Job[]): Job => {
    const job = { seconds: mean * Math.exp(spread * normal(random)), slots, after };
    made.push(job);
    return job;
  };
  const quick = (after: readonly Job[]): Job => add(10, 0.5, CPU, after);
  const train = (hours: number, after: readonly Job[]): Job => add(hours * HOUR, 0.1, TRAIN, after);
  const evaluated = (network: Job, cases: number): Job =>
    add(30 * cases, 0.1, CPU, [add(20 * cases, 0.1, GPU, [network])]);

  const ends: Job[] = [];
  for (const [, cases] of Object.entries(CASES)) {
    const images = Array.from({ length: cases }, () => quick([]));
    const folds = Array.from({ length: 5 }, () => train(12, images));
    const networks = [train(10, [...images, ...images.map((image) => quick([image]))])];
    for (const [name, mean] of Object.entries(GENERATORS)) {
      const labels = images.map((_, i) =>
        add(mean, 0.5, GPU, name === "nnunet" ? [folds[i % 5] as Job] : []),
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

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** mulberry32 */
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
