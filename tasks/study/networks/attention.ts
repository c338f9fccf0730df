/** Layers of transformers; a value is (…, tokens, width) unless said otherwise. */
import { float, type Value } from "../nn/onnx/graph.ts";
import type { Network } from "./network.ts";

/** y = x·Wᵀ + b with `NAME.weight` (out, in); the bias where the checkpoint has one. */
export function linear(n: Network, x: Value, name: string): Value {
  const [out, width] = n.shape(`${name}.weight`);
  const weight = n.weight(`${name}.weight`, [out!, width!]);
  const y = n.graph.node("MatMul", [x, n.graph.node("Transpose", [weight], { perm: [1, 0] })]);
  return n.state.has(`${name}.bias`) ? n.graph.node("Add", [y, n.weight(`${name}.bias`, [out!])]) : y;
}

/** Over the last axis. */
export function layerNorm(n: Network, x: Value, name: string, epsilon: number): Value {
  const width = n.shape(`${name}.weight`)[0]!;
  const weights = [n.weight(`${name}.weight`, [width]), n.weight(`${name}.bias`, [width])];
  return n.graph.node("LayerNormalization", [x, ...weights], { axis: -1, epsilon: float(epsilon) });
}

/** SAM's LayerNorm2d: over the channels of (batch, channels, y, x), epsilon 1e-6. */
export function layerNorm2d(n: Network, x: Value, name: string): Value {
  return transpose(n, layerNorm(n, transpose(n, x, [0, 2, 3, 1]), name, 1e-6), [0, 3, 1, 2]);
}

/** By the error function, not its tanh approximation. */
export function gelu(n: Network, x: Value): Value {
  return n.graph.node("Gelu", [x], {}, "com.microsoft");
}

/** Elementwise; sizes of 1 are stretched. */
export function add(n: Network, a: Value, b: Value): Value {
  return n.graph.node("Add", [a, b]);
}

/** New axis i is old axis `perm[i]`. */
export function transpose(n: Network, x: Value, perm: readonly number[]): Value {
  return n.graph.node("Transpose", [x], { perm });
}

/** 0 keeps the axis, −1 takes what is left. */
export function reshape(n: Network, x: Value, shape: readonly number[]): Value {
  return n.graph.node("Reshape", [x, n.graph.ints(shape)]);
}

/** `[start, end)` along an axis. */
export function slice(n: Network, x: Value, axis: number, start: number, end: number): Value {
  const { graph } = n;
  return graph.node("Slice", [x, graph.ints([start]), graph.ints([end]), graph.ints([axis])]);
}

/** softmax(q·kᵀ + bias)·v, where q comes scaled. */
export function attend(n: Network, q: Value, k: Value, v: Value, bias?: (scores: Value) => Value): Value {
  const scores = n.graph.node("MatMul", [q, k]);
  const weights = n.graph.node("Softmax", [bias ? bias(scores) : scores], { axis: -1 });
  return n.graph.node("MatMul", [weights, v]);
}
