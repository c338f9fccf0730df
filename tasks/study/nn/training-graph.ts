/**
 * One training step of a DynUNet as a single ONNX graph: forward, loss, backward, AdamW.
 *
 * Weights and moments are flat vectors of all parameters in the order of `parameters(spec)`. The optimiser therefore
 * needs a dozen nodes, and the state is three tensors.
 *
 * Inputs: `image` (N, C, z, y, x) float32, `label` (N, 1, z, y, x) uint8, `weights`, `first`, `second` (P),
 * `learning_rate`, `correction1`, `correction2` (scalars). Outputs: `weights_out`, `first_out`, `second_out`,
 * `gradient` (P), `loss`, `dice`, `ce` (scalars).
 */
import type { Triple } from "../arrays.ts";
import { createGraph, type Graph, type Value } from "./onnx/graph.ts";
import { dynunet, type DynUNetSpec, type Layers } from "./dynunet.ts";
import { parameters } from "./parameters.ts";
import { adamW, type AdamW } from "./autodiff/adamw.ts";
import { convolution } from "./autodiff/convolution.ts";
import { instanceNorm } from "./autodiff/instance-norm.ts";
import { diceCrossEntropy, type LossOptions, oneHot } from "./autodiff/loss.ts";
import { add, concat, enlargeNearest, leakyRelu } from "./autodiff/pointwise.ts";
import { product, reshape } from "./autodiff/shapes.ts";
import { createTape, type Tape, type Tensor } from "./autodiff/tape.ts";
import { transposedConvolution } from "./autodiff/transposed-convolution.ts";

export interface TrainingGraphOptions {
  readonly spec: DynUNetSpec;
  readonly batch: number;
  /** Voxels along (z, y, x); each a multiple of the product of the strides along its axis. */
  readonly patch: Triple;
  readonly optimizer: AdamW;
  readonly loss?: LossOptions;
}

/** The ONNX file. Throws an Error if the patch does not fit the strides. */
export function trainingGraph(options: TrainingGraphOptions): Uint8Array {
  const { spec, batch, patch } = options;
  checkPatch(spec, patch);
  const g = createGraph("training step");
  const tape = createTape(g);
  const image: Tensor = {
    value: g.input("image", "float32", [batch, spec.inChannels, ...patch]),
    shape: [batch, spec.inChannels, ...patch],
    differentiable: false,
  };
  const label = g.input("label", "uint8", [batch, 1, ...patch]);
  const count = parameters(spec).reduce((total, { shape }) => total + product(shape), 0);
  const [weights, first, second] = ["weights", "first", "second"].map((name) =>
    g.input(name, "float32", [count]),
  ) as [Value, Value, Value];
  const tensors = splitWeights(g, spec, weights);

  const outputs = dynunet(spec, image, trainedLayers(tape, tensors));
  const shape = [batch, spec.outChannels, ...patch];
  const target = oneHot(g, label, shape);
  const parts = outputs.map((output, i) => {
    const full = i === 0 ? output : enlargeNearest(tape, output, patch);
    const share = headWeight(i, outputs.length);
    const loss = diceCrossEntropy(g, full.value, target, shape, options.loss);
    const scaled = (value: Value) => (share === 1 ? value : g.node("Mul", [value, g.scalar(share)]));
    const gradient = g.node("Add", [loss.diceGradient, loss.ceGradient]);
    return { full, dice: scaled(loss.dice), ce: scaled(loss.ce), gradient: scaled(gradient) };
  });
  const gradientOf = tape.gradients(parts.map(({ full, gradient }) => ({ output: full, gradient })));
  const flat = [...tensors.values()].map((tensor) => reshape(g, gradientOf(tensor), [-1]));
  const gradient = g.node("Concat", flat, { axis: 0 });

  const next = adamW(g, options.optimizer, {
    weights,
    gradient,
    first,
    second,
    learningRate: g.input("learning_rate", "float32", []),
    correction1: g.input("correction1", "float32", []),
    correction2: g.input("correction2", "float32", []),
  });
  const dice = total(
    g,
    parts.map((part) => part.dice),
  );
  const ce = total(
    g,
    parts.map((part) => part.ce),
  );
  g.output("weights_out", next.weights, "float32", [count]);
  g.output("first_out", next.first, "float32", [count]);
  g.output("second_out", next.second, "float32", [count]);
  g.output("gradient", gradient, "float32", [count]);
  g.output("loss", g.node("Add", [dice, ce]), "float32", []);
  g.output("dice", dice, "float32", []);
  g.output("ce", ce, "float32", []);
  return g.finish();
}

/** Weight of each output in deep supervision: 1, 1/2, 1/4 … divided by their sum. */
export function headWeight(index: number, count: number): number {
  return 0.5 ** index / (2 - 0.5 ** (count - 1));
}

function total(g: Graph, values: readonly Value[]): Value {
  return values.length === 1 ? values[0]! : g.node("Sum", values);
}

function splitWeights(g: Graph, spec: DynUNetSpec, flat: Value): Map<string, Tensor> {
  const list = parameters(spec);
  const sizes = list.map(({ shape }) => product(shape));
  const pieces = g.nodes(list.length, "Split", [flat, g.ints(sizes)], { axis: 0 });
  return new Map(
    list.map(({ name, shape }, i) => [
      name,
      { value: reshape(g, pieces[i]!, shape), shape, differentiable: true },
    ]),
  );
}

function trainedLayers(tape: Tape, tensors: ReadonlyMap<string, Tensor>): Layers<Tensor> {
  const get = (name: string): Tensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`no parameter ${name}`);
    return tensor;
  };
  return {
    convolution: (x, name, _kernel, stride, bias) =>
      convolution(tape, x, get(`${name}.weight`), bias ? get(`${name}.bias`) : null, stride),
    transposedConvolution: (x, name, _kernel, bias) =>
      transposedConvolution(tape, x, get(`${name}.weight`), bias ? get(`${name}.bias`) : null),
    instanceNorm: (x, name) => instanceNorm(tape, x, get(`${name}.weight`), get(`${name}.bias`)),
    leakyRelu: (x) => leakyRelu(tape, x),
    add: (a, b) => add(tape, a, b),
    concat: (a, b) => concat(tape, a, b),
  };
}

/** A patch must be a multiple of this along (z, y, x). */
function patchStep(spec: DynUNetSpec): Triple {
  const step = (axis: 0 | 1 | 2) => product(spec.strides.map((stride) => stride[axis]));
  return [step(0), step(1), step(2)];
}

export function checkPatch(spec: DynUNetSpec, patch: Triple): void {
  const step = patchStep(spec);
  for (const axis of [0, 1, 2] as const) {
    if (!Number.isInteger(patch[axis]) || patch[axis] < 1 || patch[axis] % step[axis] !== 0) {
      throw new Error(
        `patch [${patch.join(", ")}] does not fit the network: each axis (z, y, x) must be a multiple of [${step.join(", ")}]`,
      );
    }
  }
}
