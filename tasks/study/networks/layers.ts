/** Layers that the convolutional networks share. Weights have the names of their PyTorch modules. */
import { float, type Value } from "../nn/onnx/graph.ts";
import type { Network } from "./network.ts";

/** One number for each spatial axis: z, y, x. */
export type PerAxis = readonly number[];

/**
 * Convolution with `NAME.weight` (out, in, ...kernel), padding (k − 1) / 2, and a bias if the checkpoint has one.
 * Throws an Error for an even kernel or another shape.
 */
export function convolution(
  n: Network,
  x: Value,
  name: string,
  channels: ConvChannels,
  stride?: PerAxis,
): Value {
  const shape = n.shape(`${name}.weight`);
  const kernel = channels.kernel ?? shape.slice(2);
  if (kernel.some((k) => k % 2 === 0)) throw new Error(`${name} has an even kernel ${kernel.join("×")}`);
  const inputs = [x, n.weight(`${name}.weight`, [channels.out, channels.in, ...kernel])];
  if (n.state.has(`${name}.bias`)) inputs.push(n.weight(`${name}.bias`, [channels.out]));
  const half = kernel.map((k) => (k - 1) / 2);
  return n.graph.node("Conv", inputs, {
    kernel_shape: kernel,
    strides: stride ?? kernel.map(() => 1),
    pads: [...half, ...half],
  });
}

export interface ConvChannels {
  readonly in: number;
  readonly out: number;
  /** Expected kernel size; without it the weight's own size is used. */
  readonly kernel?: PerAxis;
}

/** Transposed convolution with kernel = stride and `NAME.weight` (in, out, ...stride). */
export function upConvolution(
  n: Network,
  x: Value,
  name: string,
  channels: ConvChannels,
  stride: PerAxis,
): Value {
  const inputs = [x, n.weight(`${name}.weight`, [channels.in, channels.out, ...stride])];
  if (n.state.has(`${name}.bias`)) inputs.push(n.weight(`${name}.bias`, [channels.out]));
  return n.graph.node("ConvTranspose", inputs, { kernel_shape: stride, strides: stride });
}

/**
 * Instance normalisation, with the weights `NAME.weight` and `NAME.bias` if `affine`. Means are taken axis by axis, so that no float32 sum is long. The
 * runtime's own operator changes logits by 1e-4 if the mean is large compared with the deviation.
 */
export function instanceNorm(
  n: Network,
  x: Value,
  name: string,
  channels: number,
  { epsilon = 1e-5, affine = true } = {},
): Value {
  const { graph: g } = n;
  const mean = (value: Value) =>
    [4, 3, 2].reduce((v, axis) => g.node("ReduceMean", [v, g.ints([axis])]), value);
  const perChannel = (part: string) =>
    g.node("Reshape", [n.weight(`${name}.${part}`, [channels]), g.ints([channels, 1, 1, 1])]);
  const centred = g.node("Sub", [x, mean(x)]);
  const variance = mean(g.node("Mul", [centred, centred]));
  const deviation = g.node("Sqrt", [g.node("Add", [variance, g.scalar(epsilon)])]);
  if (!affine) return g.node("Div", [centred, deviation]);
  const factor = g.node("Div", [perChannel("weight"), deviation]);
  return g.node("Add", [g.node("Mul", [centred, factor]), perChannel("bias")]);
}

/** max(x, slope·x); with slope 0 it is ReLU. */
export function leakyRelu(n: Network, x: Value, slope = 0.01): Value {
  return slope === 0 ? n.graph.node("Relu", [x]) : n.graph.node("LeakyRelu", [x], { alpha: float(slope) });
}

/** Concatenates along the channels (axis 1). */
export function concat(n: Network, values: readonly Value[]): Value {
  return n.graph.node("Concat", values, { axis: 1 });
}

/** Output of the network: raw logits, or softmax over the classes. */
export type Head = "logits" | "softmax";

/** Input (batch, channels, ...patch). */
export function networkInput(n: Network, channels: number, patch: PerAxis): Value {
  return n.graph.input("input", "float32", ["batch", channels, ...patch]);
}

/** Output (batch, classes, ...patch). */
export function networkOutput(n: Network, x: Value, head: Head, classes: number, patch: PerAxis): void {
  const value = head === "softmax" ? n.graph.node("Softmax", [x], { axis: 1 }) : x;
  n.graph.output("output", value, "float32", ["batch", classes, ...patch]);
}
