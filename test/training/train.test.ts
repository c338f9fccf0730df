import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Triple } from "../../tasks/study/arrays.ts";
import { initialise, type Weights } from "../../tasks/study/nn/parameters.ts";
import { createTrainer } from "../../tasks/study/nn/trainer.ts";
import { training } from "../../tasks/study/params/settings.ts";
import { trainOn } from "../../tasks/study/training/train-on.ts";
import { createRandom } from "../../tasks/study/random.ts";
import { memoryCase } from "../../tasks/study/training/cases.ts";
import { patchSource } from "../../tasks/study/training/patches.ts";
import { judge, train, type TrainOptions } from "../../tasks/study/training/train.ts";
import { testFolder } from "../helpers/folder.ts";
import { smallNetwork } from "../nn/small-network.ts";

const spec = smallNetwork([4, 6, 8]);
const patch: Triple = [4, 12, 12];

/** Noise with two boxes, each with its own intensity. */
function syntheticCase(id: string) {
  const random = createRandom(id);
  const size = [16, 14, 6] as const;
  const labels = new Uint8Array(16 * 14 * 6);
  for (const label of [1, 2]) {
    const [x0, y0, z0] = [random.int(9), random.int(7), random.int(2)];
    for (let z = z0; z < z0 + 4; z++) {
      for (let y = y0; y < y0 + 7; y++)
        labels.fill(label, x0 + 16 * (y + 14 * z), x0 + 7 + 16 * (y + 14 * z));
    }
  }
  const data = Float32Array.from(labels, (label) => label + 0.2 * random.normal());
  const rest = { size, spacing: [1, 1, 1] as const, affine: [] };
  return memoryCase(id, { data, ...rest }, { data: labels, ...rest });
}

function options(change: Partial<TrainOptions> = {}): TrainOptions {
  const cases = ["a", "b", "c"].map(syntheticCase);
  const augmentation = {
    flip: ["x"],
    scale: [0.9, 1.1],
    noise: 0.1,
    contrast: 0.1,
    brightness: 0.1,
  } as const;
  return {
    spec,
    patch,
    batch: 2,
    batches: patchSource(cases, { batch: 2, patch, seed: "batches", augmentation }),
    seed: 1,
    epochs: 3,
    batchesPerEpoch: 4,
    learningRate: 1e-2,
    ...change,
  };
}

function sameBytes(a: Weights, b: Weights): boolean {
  return [...a].every(([name, values]) =>
    Buffer.from(values.buffer).equals(Buffer.from(b.get(name)!.buffer)),
  );
}

let scratch: string;
beforeEach(() => (scratch = testFolder()));

test("a training lowers the loss, and the same training gives the same bytes", async () => {
  const notes: string[] = [];
  const first = await train(
    options({ epochs: 12, progress: (fraction, note) => notes.push(`${fraction} ${note}`) }),
  );
  expect(first).toMatchObject({ outcome: "converged", criterion: null, step: 48 });
  expect(first.losses).toHaveLength(12);
  expect(first.losses.at(-1)!).toBeLessThan(0.7 * first.losses[0]!);
  expect(notes).toHaveLength(48);
  expect(notes.at(-1)).toMatch(/^1 epoch 12\/12$/);
  const second = await train(options({ epochs: 12 }));
  expect(sameBytes(first.weights, second.weights)).toBe(true);
  expect(second.losses).toEqual(first.losses);
  expect(sameBytes((await train(options({ seed: 2 }))).weights, first.weights)).toBe(false);
});

test("a training is AdamW with decay, at the rates of a cosine from the first step to none", async () => {
  const rates: number[] = [];
  const metrics = (_step: number, values: { readonly [name: string]: number }) =>
    rates.push(values["learning_rate"]!);
  const trained = await train(options({ seed: 7, optimizer: { weightDecay: 0.1 }, metrics }));
  const { batches, batch, learningRate } = options();
  const expected = Array.from(
    { length: 12 },
    (_, i) => (learningRate * (1 + Math.cos((Math.PI * i) / 12))) / 2,
  );
  rates.forEach((rate, i) => expect(Math.abs(rate - expected[i]!)).toBeLessThan(1e-15));
  expect(rates).toHaveLength(12);

  /** Twelve steps by hand. */
  const byHand = async (weightDecay: number) => {
    const weights = initialise(spec, 7);
    const trainer = await createTrainer({ spec, batch, patch, weights, optimizer: { weightDecay } });
    for (const [i, rate] of expected.entries()) {
      const { images, labels } = await batches(i);
      await trainer.prepare(images, labels)(rate);
    }
    const state = await trainer.state();
    await trainer.dispose();
    return state;
  };
  expect(sameBytes(trained.weights, (await byHand(0.1)).weights)).toBe(true);
  expect(sameBytes(trained.weights, (await byHand(0.01)).weights)).toBe(false);
  // Without a setting the decay is that of torch.optim.AdamW, 0.01.
  const usual = await train(options({ seed: 7 }));
  expect(sameBytes(usual.weights, (await byHand(0.01)).weights)).toBe(true);
});

test("the task's params reach the optimiser: weight decay and both betas", async () => {
  const cases = ["a", "b"].map(syntheticCase);
  const settings = training.parse({
    ...{
      seed: 3,
      epochs: 1,
      batches: 2,
      batch: 1,
      learning_rate: 0.01,
      weight_decay: 0.5,
      betas: [0.6, 0.7],
    },
    ...{ foreground: 1, augmentation: {} },
  });
  const context = {
    ...{ scratch: null, signal: new AbortController().signal, devices: [] },
    ...{ progress: () => undefined, metrics: () => undefined, log: () => undefined },
  };
  const result = await trainOn(cases, spec, { ...context, params: { patch, training: settings } });
  const trainer = await createTrainer({
    ...{ spec, batch: 1, patch, weights: initialise(spec, 3) },
    optimizer: { weightDecay: 0.5, beta1: 0.6, beta2: 0.7 },
  });
  const source = patchSource(cases, { batch: 1, patch, seed: "patches 3", foreground: 1 });
  for (const [i, rate] of [0.01, 0.005].entries()) {
    const { images, labels } = await source(i);
    await trainer.prepare(images, labels)(rate);
  }
  expect(sameBytes(result.weights, (await trainer.state()).weights)).toBe(true);
  await trainer.dispose();
});

test("a training that is interrupted at any step ends with the same bytes", async () => {
  const whole = await train(options());
  for (const stopAfter of [1, 4, 6, 11]) {
    const abort = new AbortController();
    let steps = 0;
    const progress = () => {
      if (++steps === stopAfter) abort.abort(new Error("cancelled"));
    };
    await expect(train(options({ scratch, signal: abort.signal, progress }))).rejects.toThrow("cancelled");
    let resumed = 0;
    const training = await train(options({ scratch, progress: () => resumed++ }));
    expect(resumed).toBe(12 - stopAfter);
    expect(sameBytes(training.weights, whole.weights)).toBe(true);
    expect(sameBytes(training.moments.second, whole.moments.second)).toBe(true);
    expect(training.losses).toEqual(whole.losses);
    await rm(join(scratch, "training.safetensors"));
  }
});

test("a damaged saved state is not used", async () => {
  const abort = new AbortController();
  const cut = options({ scratch, signal: abort.signal, progress: () => abort.abort(new Error("cancelled")) });
  await expect(train(cut)).rejects.toThrow("cancelled");
  const path = join(scratch, "training.safetensors");
  const whole = await readFile(path);
  const flipped = Buffer.from(whole);
  flipped[flipped.length - 1]! ^= 1;
  for (const damaged of [whole.subarray(0, -1), flipped, Buffer.alloc(0)]) {
    await writeFile(path, damaged);
    let steps = 0;
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    await train(options({ scratch, epochs: 1, progress: () => steps++, log }));
    expect([steps, lines[0]]).toEqual([
      4,
      expect.stringMatching(/^the saved state is damaged \(.*starts again$/),
    ]);
  }
});

test("a saved state that cannot be read stays untouched, and the training fails", async () => {
  await mkdir(join(scratch, "training.safetensors"));
  let steps = 0;
  await expect(train(options({ scratch, progress: () => steps++ }))).rejects.toThrow("EISDIR");
  expect(steps).toBe(0);
});

test("a loss that is not finite ends the training, and the result says so", async () => {
  const source = options().batches;
  const batches = async (step: number) => {
    const batch = await source(step);
    if (step === 5) batch.images.fill(NaN);
    return batch;
  };
  const training = await train(options({ batches }));
  expect(training).toMatchObject({
    outcome: "not-converged",
    criterion: "the loss was not finite at step 6 of 12",
    step: 6,
  });
});

test("a loss that hardly falls is not convergence", async () => {
  expect(judge([2, 1.9, 1.81])).toMatchObject({ outcome: "not-converged", criterion: /not below 90 %/ });
  expect(judge([2, 1.79])).toEqual({ outcome: "converged", criterion: null });
  expect((await train(options({ learningRate: 0 }))).outcome).toBe("not-converged");
});

test("a label without an output channel, and a patch that does not fit, are refused", async () => {
  const two = { ...spec, outChannels: 2 };
  await expect(train(options({ spec: two }))).rejects.toThrow(/label 2 has no output channel/);
  await expect(train(options({ patch: [4, 12, 10] }))).rejects.toThrow(/multiple of \[2, 4, 4\]/);
});
