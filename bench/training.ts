/**
 * Compares a training step with the same step in PyTorch eager (dynunet_torch.py), with one thread each. Shows CPU time,
 * peak memory, and the share of the input pipeline with all augmentation.
 *
 * Without a Python that has torch, it shows only lq's times.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Triple } from "../tasks/study/arrays.ts";
import type { DynUNetSpec } from "../tasks/study/nn/dynunet.ts";
import { initialise } from "../tasks/study/nn/parameters.ts";
import { createTrainer } from "../tasks/study/nn/trainer.ts";
import { createRandom } from "../tasks/study/random.ts";
import { memoryCase } from "../tasks/study/training/cases.ts";
import { patchSource } from "../tasks/study/training/patches.ts";
import { runPython } from "./lib/python.ts";

interface Case extends DynUNetSpec {
  readonly name: string;
  readonly patch: Triple;
  readonly batch: number;
  readonly steps: number;
  readonly threads: number;
}

interface Measured {
  /** CPU time of each step in milliseconds. */
  readonly steps: readonly number[];
  /** Peak memory of the whole process in MiB. */
  readonly memory: number;
  readonly input?: readonly number[];
}

const cube: Triple = [3, 3, 3];
const flat: Triple = [1, 3, 3];
const one: Triple = [1, 1, 1];
const half: Triple = [2, 2, 2];
const halfPlane: Triple = [1, 2, 2];
const plain = {
  inChannels: 1,
  outChannels: 14,
  kernels: [cube, cube, cube],
  strides: [one, half, half],
  filters: [16, 32, 64],
  heads: 0,
  residual: false,
  transposedBias: false,
  batch: 1,
  patch: [32, 32, 32] as const,
  threads: 1,
  steps: 15,
};
const six: Triple[] = [one, halfPlane, half, half, half, halfPlane];

const cases: Case[] = [
  { ...plain, name: "32³, 16/32/64" },
  { ...plain, name: "same, batch 2, residual", batch: 2, residual: true, steps: 7 },
  { ...plain, name: "16×24×24, 8/16/32", patch: [16, 24, 24], filters: [8, 16, 32], steps: 40 },
  {
    ...plain,
    name: "six levels, 3 heads, residual",
    kernels: [flat, flat, cube, cube, cube, cube],
    strides: six,
    filters: [16, 32, 64, 128, 160, 160],
    heads: 3,
    residual: true,
    patch: [16, 64, 64],
    steps: 5,
  },
  {
    ...plain,
    name: "1×64×64, 8/16/32, batch 4",
    kernels: [flat, flat, flat],
    strides: [one, halfPlane, halfPlane],
    filters: [8, 16, 32],
    batch: 4,
    patch: [1, 64, 64],
    steps: 40,
  },
];

const [asked] = process.argv.slice(2);
if (asked === undefined) compare();
else console.log(JSON.stringify(await measure(JSON.parse(asked) as Case)));

function compare(): void {
  console.log("patch, widths".padEnd(32), "lq ms  torch ms  ratio    lq MiB  torch MiB  ratio    input");
  for (const item of cases) {
    const own = measuredApart(item);
    const torch = runPython<Measured>("dynunet_torch.py", ["torch"], item);
    const ms = least(own.steps);
    const pair = (a: number, b: number | undefined, digits: number) =>
      [a.toFixed(digits), b?.toFixed(digits) ?? "-", b === undefined ? "-" : (a / b).toFixed(2)] as const;
    const [time, torchTime, timeRatio] = pair(ms, torch ? least(torch.steps) : undefined, 1);
    const [memory, torchMemory, memoryRatio] = pair(own.memory, torch?.memory, 0);
    console.log(
      item.name.padEnd(30) + time.padStart(8) + torchTime.padStart(10) + timeRatio.padStart(7),
      memory.padStart(9) + torchMemory.padStart(11) + memoryRatio.padStart(7),
      `${((100 * least(own.input ?? [])) / ms).toFixed(1)} %`.padStart(8),
    );
  }
}

/** Runs one case in a process of its own, so that the peak memory is that of the case. */
function measuredApart(item: Case): Measured {
  const words = [fileURLToPath(import.meta.url), JSON.stringify(item)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })) as Measured;
}

async function measure(item: Case): Promise<Measured> {
  const { batch, patch, threads } = item;
  const trainer = await createTrainer({ spec: item, batch, patch, threads, weights: initialise(item, 1) });
  const source = patchSource([noise(item)], {
    batch,
    patch,
    seed: 1,
    augmentation: { flip: ["x"], scale: [0.9, 1.1], noise: 0.1, contrast: 0.1, brightness: 0.1 },
  });
  const measured = { steps: [] as number[], input: [] as number[] };
  for (let step = 0; step < item.steps; step++) {
    const begin = cpu();
    const { images, labels } = await source(step);
    const between = cpu();
    await trainer.prepare(images, labels)(1e-3);
    measured.input.push(between - begin);
    measured.steps.push(cpu() - between);
  }
  await trainer.dispose();
  return { ...measured, memory: process.resourceUsage().maxRSS / 1024 };
}

/** A case that is a little larger than the patch, with random intensities and labels. */
function noise({ patch: [z, y, x], outChannels }: Case) {
  const random = createRandom("noise");
  const size: Triple = [x + 16, y + 16, z + 16];
  const grid = { size, spacing: one, affine: [] };
  const voxels = size[0] * size[1] * size[2];
  const data = Float32Array.from({ length: voxels }, () => random.normal());
  const labels = Uint8Array.from({ length: voxels }, () => random.int(outChannels));
  return memoryCase("noise", { ...grid, data }, { ...grid, data: labels });
}

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The shortest step: other work on the machine disturbed it least. */
function least(values: readonly number[]): number {
  return Math.min(...values);
}
