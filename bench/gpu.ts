/**
 * A training step of the PyTorch backend beside a plain PyTorch loop (dynunet_torch.py): the same network, loss and
 * optimiser, and batches of the same size. On a GPU: the paper's networks of BTCV and AMOS in fp32 and amp, in less
 * than ten minutes. Without one: small networks on one thread of the CPU.
 *
 *     npm run bench -- gpu
 *
 * Each side is run in turn, in a process of its own. Shown is the median step after the first ones, and the most
 * memory of the Python process and of the device. On a CPU the time is CPU time, of Node and Python together.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Triple } from "../tasks/study/arrays.ts";
import type { DynUNetSpec } from "../tasks/study/nn/dynunet.ts";
import { initialise } from "../tasks/study/nn/parameters.ts";
import { pyTorch } from "../tasks/study/nn/pytorch/process.ts";
import { createTrainer } from "../tasks/study/nn/trainer.ts";
import { createRandom } from "../tasks/study/random.ts";
import { findPython, runPython } from "./lib/python.ts";
import { median } from "./lib/seconds.ts";

interface Case extends DynUNetSpec {
  readonly name: string;
  readonly patch: Triple;
  readonly batch: number;
  readonly steps: number;
  readonly threads: number;
  readonly device: "cpu" | "cuda";
  readonly precision: "fp32" | "amp";
}

interface Measured {
  /** Milliseconds of CPU time, and of time, of each step. */
  readonly steps: readonly number[];
  readonly wall: readonly number[];
  /** MiB at most, of the Python process and on the device. */
  readonly memory: number;
  readonly device: number;
}

/** Steps in which memory is allocated and algorithms are chosen. */
const WARM_UP = 3;
const PAIRS = 2;

const one: Triple = [1, 1, 1];
const cube: Triple = [3, 3, 3];
const flat: Triple = [1, 3, 3];
const half: Triple = [2, 2, 2];
const plane: Triple = [1, 2, 2];
const paper = {
  inChannels: 1,
  outChannels: 14,
  filters: [32, 64, 128, 256, 320, 320],
  heads: 3,
  residual: true,
  transposedBias: false,
  batch: 2,
  threads: 1,
  steps: 25,
};
const btcv = {
  kernels: [flat, cube, cube, cube, cube, cube],
  strides: [one, plane, half, half, half, plane],
};
const amos = {
  kernels: [flat, flat, cube, cube, cube, cube],
  strides: [one, plane, plane, half, half, half],
};

const onGpu: Case[] = (["fp32", "amp"] as const).flatMap((precision) => [
  { ...paper, ...btcv, name: "BTCV", patch: [48, 192, 192], device: "cuda", precision },
  { ...paper, ...amos, name: "AMOS", patch: [40, 224, 192], device: "cuda", precision },
]);
const small = { ...paper, device: "cpu", precision: "fp32" } as const;
const onCpu: Case[] = [
  {
    ...small,
    name: "32³, 16/32/64, residual",
    kernels: [cube, cube, cube],
    strides: [one, half, half],
    filters: [16, 32, 64],
    heads: 0,
    batch: 1,
    patch: [32, 32, 32],
    steps: 12,
  },
  {
    ...small,
    ...btcv,
    name: "six levels, three heads",
    filters: [16, 32, 64, 128, 160, 160],
    batch: 1,
    patch: [16, 64, 64],
    steps: 8,
  },
];

const [asked] = process.argv.slice(2);
if (asked === undefined) await compare();
else console.log(JSON.stringify(await measure(JSON.parse(asked) as Case)));

async function compare(): Promise<void> {
  const python = findPython(["torch"]);
  if (python === null) {
    console.log("no Python with torch: name one in PYTHON");
    return;
  }
  process.env["LQ_PYTHON"] = python;
  const { platform } = await pyTorch(true);
  console.log(`PyTorch ${platform.torch} on ${platform.name} ${platform.cuda ?? ""}`);
  console.log("network, precision".padEnd(34), "lq ms  plain ms  ratio    lq MiB  plain MiB  ratio");
  for (const item of platform.device === "cuda" ? onGpu : onCpu) {
    const time = item.device === "cuda" ? "wall" : "steps";
    const memory = item.device === "cuda" ? "device" : "memory";
    const pairs = Array.from({ length: PAIRS }, () => [measuredApart(item), plainLoop(item)] as const);
    const row = [0, 1].map((side) => ({
      ms: median(pairs.flatMap((pair) => pair[side]![time].slice(WARM_UP))),
      mib: median(pairs.map((pair) => pair[side]![memory])),
    }));
    const [own, plain] = row as [(typeof row)[0], (typeof row)[0]];
    console.log(
      `${item.name}, ${item.precision}`.padEnd(33) + own.ms.toFixed(1).padStart(8),
      plain.ms.toFixed(1).padStart(9) + (own.ms / plain.ms).toFixed(3).padStart(7),
      own.mib.toFixed(0).padStart(9) +
        plain.mib.toFixed(0).padStart(11) +
        (own.mib / plain.mib).toFixed(3).padStart(7),
    );
  }
}

function measuredApart(item: Case): Measured {
  const words = [fileURLToPath(import.meta.url), JSON.stringify(item)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })) as Measured;
}

function plainLoop(item: Case): Measured {
  const measured = runPython<Measured>("dynunet_torch.py", ["torch"], item);
  if (measured === null) throw new Error("the plain loop needs a Python with torch");
  return measured;
}

/** Batches are made before the steps: their cost is the study's, on either backend (bench/training.ts). */
async function measure(item: Case): Promise<Measured> {
  const { batch, patch, threads, device, precision } = item;
  const trainer = await createTrainer({
    ...{ spec: item, batch, patch, threads, precision, backend: "torch" },
    weights: initialise(item, 1),
    ...(device === "cuda" && { device, devices: ["0"] }),
  });
  const worker = await pyTorch(device === "cuda");
  const usage = async () =>
    (await worker.request("usage", {})) as { host: number; device: number; cpu: number };
  const voxels = batch * patch[0] * patch[1] * patch[2];
  const random = createRandom("noise");
  const images = Float32Array.from({ length: voxels }, () => random.normal());
  const labels = Uint8Array.from({ length: voxels }, () => random.int(item.outChannels));
  const measured = { steps: [] as number[], wall: [] as number[] };
  let next = trainer.prepare(images, labels);
  let python = (await usage()).cpu;
  for (let step = 0; step < item.steps; step++) {
    const [began, node] = [performance.now(), process.cpuUsage()];
    const running = next(1e-3);
    next = trainer.prepare(images, labels);
    await running;
    measured.wall.push(performance.now() - began);
    const { user, system } = process.cpuUsage(node);
    const { cpu } = await usage();
    measured.steps.push(1000 * (cpu - python) + (user + system) / 1000);
    python = cpu;
  }
  const { host, device: onDevice } = await usage();
  await trainer.dispose();
  return { ...measured, memory: host / 2 ** 20, device: onDevice / 2 ** 20 };
}
