/** Layers of transformers. A value is (…, tokens, width) unless its function says otherwise. */
import { float, type Value } from "../nn/onnx/graph.ts";
import type { Network } from "./network.ts";

/** y = x·Wᵀ + b with `NAME.weight` (out, in), and with a bias if the checkpoint has one. */
export function linear(n: Network, x: Value, name: string): Value {
  const [out, width] = n.shape(`${name}.weight`);
  const weight = n.weight(`${name}.weight`, [out!, width!]);
  const y = n.graph.node("MatMul", [x, n.graph.node("Transpose", [weight], { perm: [1, 0] })]);
  return n.state.has(`${name}.bias`) ? n.graph.node("Add", [y, n.weight(`${name}.bias`, [out!])]) : y;
}

/** Layer normalisation over the last axis. */
export function layerNorm(n: Network, x: Value, name: string, epsilon: number): Value {
  const width = n.shape(`${name}.weight`)[0]!;
  const weights = [n.weight(`${name}.weight`, [width]), n.weight(`${name}.bias`, [width])];
  return n.graph.node("LayerNormalization", [x, ...weights], { axis: -1, epsilon: float(epsilon) });
}

/** SAM's LayerNorm2d: normalises over the channels of (batch, channels, y, x) with epsilon 1e-6. */
export function layerNorm2d(n: Network, x: Value, name: string): Value {
  return transpose(n, layerNorm(n, transpose(n, x, [0, 2, 3, 1]), name, 1e-6), [0, 3, 1, 2]);
}

/** GELU with the error function, not with its tanh approximation. */
export function gelu(n: Network, x: Value): Value {
  return n.graph.node("Gelu", [x], {}, "com.microsoft");
}

/** Elementwise sum with broadcasting. */
export function add(n: Network, a: Value, b: Value): Value {
  return n.graph.node("Add", [a, b]);
}

/** New axis i is old axis `perm[i]`. */
export function transpose(n: Network, x: Value, perm: readonly number[]): Value {
  return n.graph.node("Transpose", [x], { perm });
}

/** In `shape`, 0 keeps the size of an axis and −1 means all remaining elements. */
export function reshape(n: Network, x: Value, shape: readonly number[]): Value {
  return n.graph.node("Reshape", [x, n.graph.ints(shape)]);
}

/** The part `[start, end)` along an axis. */
export function slice(n: Network, x: Value, axis: number, start: number, end: number): Value {
  const { graph } = n;
  return graph.node("Slice", [x, graph.ints([start]), graph.ints([end]), graph.ints([axis])]);
}

/** softmax(q·kᵀ + bias)·v. `q` is already scaled and `k` already transposed; `bias` adds to the scores. */
export function attend(n: Network, q: Value, k: Value, v: Value, bias?: (scores: Value) => Value): Value {
  const scores = n.graph.node("MatMul", [q, k]);
  const weights = n.graph.node("Softmax", [bias ? bias(scores) : scores], { axis: -1 });
  return n.graph.node("MatMul", [weights, v]);
}
