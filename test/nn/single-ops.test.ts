/**
 * Compares each operation and its gradient with torch in float64 (golden 06, single_ops). The limit is ten times the
 * difference of torch in float32 from torch in float64, which single_ops.json gives for each array.
 */
import { readFileSync } from "node:fs";
import { Tensor as OrtTensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import type { Triple } from "../../tasks/study/arrays.ts";
import { adamW } from "../../tasks/study/nn/autodiff/adamw.ts";
import { convolution } from "../../tasks/study/nn/autodiff/convolution.ts";
import { instanceNorm } from "../../tasks/study/nn/autodiff/instance-norm.ts";
import { diceCrossEntropy, oneHot } from "../../tasks/study/nn/autodiff/loss.ts";
import { add, concat, enlargeNearest, leakyRelu } from "../../tasks/study/nn/autodiff/pointwise.ts";
import { createTape, type Tape, type Tensor } from "../../tasks/study/nn/autodiff/tape.ts";
import { transposedConvolution } from "../../tasks/study/nn/autodiff/transposed-convolution.ts";
import { createGraph } from "../../tasks/study/nn/onnx/graph.ts";
import { createSession } from "../../tasks/study/nn/session.ts";
import { cosineRate } from "../../tasks/study/training/schedule.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { floats, largestDifference } from "./golden.ts";

const folder = shared("golden/06_training_parity");

interface Case {
  case: string;
  op: string;
  parameters: {
    stride?: Triple;
    output_size?: Triple;
    monai_DiceLoss?: { include_background: boolean; batch: boolean };
    monai_DiceCELoss?: { include_background: boolean; batch: boolean };
  };
  inputs: Record<string, number[]>;
  float32_max_abs_difference: Record<string, number>;
}

const cases: Case[] =
  folder === null
    ? []
    : (JSON.parse(readFileSync(`${folder}/single_ops.json`, "utf8")) as { cases: Case[] }).cases;
const arrays =
  folder === null ? new Map<string, Float32Array>() : floats(await readNpz(`${folder}/single_ops.npz`));
const runnable = cases.filter(({ op }) => op in operations() || isLoss(op));

/** The operations; each takes its inputs by name. */
function operations(): Record<string, (tape: Tape, x: Record<string, Tensor>, item: Case) => Tensor> {
  return {
    conv3d: (tape, x, item) =>
      convolution(tape, x["x"]!, x["weight"]!, x["bias"] ?? null, item.parameters.stride!),
    conv_transpose3d: (tape, x) => transposedConvolution(tape, x["x"]!, x["weight"]!, x["bias"] ?? null),
    instance_norm_affine: (tape, x) => instanceNorm(tape, x["x"]!, x["weight"]!, x["bias"]!),
    leaky_relu: (tape, x) => leakyRelu(tape, x["x"]!),
    nearest_upsample: (tape, x, item) => enlargeNearest(tape, x["x"]!, item.parameters.output_size!),
    concat_channels: (tape, x) => concat(tape, x["a"]!, x["b"]!),
    residual_add_leaky_relu: (tape, x) => leakyRelu(tape, add(tape, x["a"]!, x["b"]!)),
    tconv_concat_conv_norm_leaky: (tape, x) => {
      const up = transposedConvolution(tape, x["x"]!, x["wt"]!, null);
      const convolved = convolution(tape, concat(tape, up, x["skip"]!), x["w1"]!, null, [1, 1, 1]);
      return leakyRelu(tape, instanceNorm(tape, convolved, x["gamma"]!, x["beta"]!));
    },
  };
}

function isLoss(op: string): boolean {
  return ["softmax_dice_loss", "cross_entropy", "dice_plus_cross_entropy"].includes(op);
}

/** The limit for one array: ten times torch's own difference in float32, and at least a few units of rounding. */
function limit(item: Case, array: string, values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return Math.max(10 * item.float32_max_abs_difference[array]!, 4e-7 * largest);
}

function expectClose(item: Case, array: string, values: ArrayLike<number>) {
  const expected = arrays.get(`${item.case}/${array}`)!;
  const difference = largestDifference(new Map([[array, values]]), new Map([[array, expected]]));
  expect(difference, `${item.case} ${array}`).toBeLessThanOrEqual(limit(item, array, expected));
}

test.skipIf(folder === null)("every golden operation has a test", () => {
  expect(runnable.length + 3).toBe(cases.length); // adamw (twice) and cosine have their own tests
});

test
  .skipIf(folder === null)
  .each(runnable.filter(({ op }) => !isLoss(op)).map((item) => [item.case, item] as const))(
  "%s",
  async (_, item) => {
    const g = createGraph(item.case);
    const tape = createTape(g);
    const tensors = Object.fromEntries(
      Object.entries(item.inputs).map(([name, shape]) => [
        name,
        { value: g.input(name, "float32", shape), shape, differentiable: true },
      ]),
    );
    const output = operations()[item.op]!(tape, tensors, item);
    const upstream = g.input("upstream", "float32", output.shape);
    const gradientOf = tape.gradients([{ output, gradient: upstream }]);
    g.output("out", output.value, "float32", output.shape);
    for (const [name, tensor] of Object.entries(tensors)) {
      g.output(`grad/${name}`, gradientOf(tensor), "float32", tensor.shape);
    }
    const session = await createSession(g.finish(), { training: true });
    const feed = (array: string, shape: readonly number[]) =>
      new OrtTensor("float32", arrays.get(`${item.case}/${array}`)!, shape);
    const results = await session.run({
      upstream: feed("upstream", output.shape),
      ...Object.fromEntries(
        Object.entries(item.inputs).map(([name, shape]) => [name, feed(`in/${name}`, shape)]),
      ),
    });
    for (const [array, tensor] of Object.entries(results)) {
      expectClose(item, array, tensor.data as Float32Array);
    }
    await session.release();
  },
);

test
  .skipIf(folder === null)
  .each(runnable.filter(({ op }) => isLoss(op)).map((item) => [item.case, item] as const))(
  "%s",
  async (_, item) => {
    const shape = item.inputs["logits"]!;
    const settings = item.parameters.monai_DiceLoss ?? item.parameters.monai_DiceCELoss;
    const g = createGraph(item.case);
    const logits = g.input("logits", "float32", shape);
    const target = oneHot(g, g.input("labels", "uint8", [shape[0]!, 1, ...shape.slice(2)]), shape);
    const loss = diceCrossEntropy(g, logits, target, shape, {
      includeBackground: settings?.include_background ?? false,
      batchDice: settings?.batch ?? false,
    });
    g.output("dice", loss.dice, "float32", []);
    g.output("ce", loss.ce, "float32", []);
    g.output("dice_gradient", loss.diceGradient, "float32", shape);
    g.output("ce_gradient", loss.ceGradient, "float32", shape);
    const session = await createSession(g.finish(), { training: true });
    const labels = Uint8Array.from(arrays.get(`${item.case}/in/labels`)!);
    const results = await session.run({
      logits: new OrtTensor("float32", arrays.get(`${item.case}/in/logits`)!, shape),
      labels: new OrtTensor("uint8", labels, [shape[0]!, 1, ...shape.slice(2)]),
    });
    const value = (name: string) => results[name]!.data as Float32Array;
    const parts = { softmax_dice_loss: ["dice"], cross_entropy: ["ce"] }[item.op] ?? ["dice", "ce"];
    const total = parts.reduce((sum, part) => sum + value(part)[0]!, 0);
    const gradient = Float32Array.from({ length: value("ce_gradient").length }, (_, i) =>
      parts.reduce((sum, part) => sum + value(`${part}_gradient`)[i]!, 0),
    );
    expectClose(item, "out", [total]);
    expectClose(item, "grad/logits", gradient);
    await session.release();
  },
);

/** Runs the optimiser alone; returns a function that does one step. */
async function optimiser(size: number, weightDecay: number) {
  const g = createGraph("adamw");
  const vector = (name: string) => g.input(name, "float32", [size]);
  const scalar = (name: string) => g.input(name, "float32", []);
  const next = adamW(
    g,
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay },
    {
      weights: vector("weights"),
      gradient: vector("gradient"),
      first: vector("first"),
      second: vector("second"),
      learningRate: scalar("lr"),
      correction1: scalar("c1"),
      correction2: scalar("c2"),
    },
  );
  g.output("w", next.weights, "float32", [size]);
  g.output("m", next.first, "float32", [size]);
  g.output("v", next.second, "float32", [size]);
  const session = await createSession(g.finish(), { training: true });
  const tensor = (values: Float32Array) => new OrtTensor("float32", values, [size]);
  const number = (value: number) => new OrtTensor("float32", Float32Array.of(value), []);
  let state: Record<"first" | "second", Float32Array> = {
    first: new Float32Array(size),
    second: new Float32Array(size),
  };
  return async (weights: Float32Array, gradient: Float32Array, lr: number, t: number) => {
    const result = await session.run({
      weights: tensor(weights),
      gradient: tensor(gradient),
      first: tensor(state.first),
      second: tensor(state.second),
      lr: number(lr),
      c1: number(1 - 0.9 ** t),
      c2: number(1 - 0.999 ** t),
    });
    state = { first: result["m"]!.data as Float32Array, second: result["v"]!.data as Float32Array };
    return { weights: result["w"]!.data as Float32Array, ...state };
  };
}

test.skipIf(folder === null)("adamw", async () => {
  const get = (name: string) => arrays.get(`adamw/${name}`)!;
  let weights = get("in/weight");
  const size = weights.length;
  const rates = get("in/learning_rates");
  const step = await optimiser(size, 0.01);
  for (const [i, rate] of rates.entries()) {
    const at = (name: string) => get(name).subarray(i * size, (i + 1) * size);
    const result = await step(weights, Float32Array.from(at("in/grads")), rate, i + 1);
    weights = result.weights;
    for (const [name, values] of [
      ["out/weight_after_step", result.weights],
      ["out/exp_avg_after_step", result.first],
      ["out/exp_avg_sq_after_step", result.second],
    ] as const) {
      const largest = Math.max(...at(name).map(Math.abs));
      for (const [k, value] of values.entries()) {
        const expected = at(name)[k]!;
        const limit = 1e-5 * Math.abs(expected) + 2e-7 * largest;
        expect(Math.abs(value - expected), `${name} ${i} ${k}`).toBeLessThanOrEqual(limit);
      }
    }
  }
});

test.skipIf(folder === null)("adamw_strong_decay", async () => {
  const get = (name: string) => arrays.get(`adamw_strong_decay/${name}`)!;
  let weights = get("in/weight");
  const step = await optimiser(weights.length, 0.2);
  const after = get("out/weight_after_step");
  for (let i = 0; i < 20; i++) {
    const gradient = weights.map((weight, k) => get("in/scale")[k]! * (weight - get("in/target")[k]!));
    ({ weights } = await step(weights, gradient, 0.01, i + 1));
    for (const [k, weight] of weights.entries()) {
      expect(Math.abs(weight - after[i * weights.length + k]!)).toBeLessThan(5e-6);
    }
  }
});

test.skipIf(folder === null)("cosine", async () => {
  const rates = (await readNpz(`${folder}/single_ops.npz`)).get("cosine/out/learning_rate")!.data;
  for (const [i, rate] of rates.entries()) {
    expect(Math.abs(cosineRate(3e-4, 1e-5, i, 25) - rate)).toBeLessThan(1e-15);
  }
});
