/** Short names for the shape operations that gradients need. */
import type { Triple } from "../../arrays.ts";
import type { Graph, Value } from "../onnx/graph.ts";

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** In `shape`, -1 takes what is left and 0 keeps the axis. */
export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  return g.node("Reshape", [x, g.ints(shape)]);
}

/** New axis i is old axis `order[i]`. */
export function transpose(g: Graph, x: Value, order: readonly number[]): Value {
  return g.node("Transpose", [x], { perm: order });
}

/** The elements start, start + step, … below end along each given axis. */
export function slice(
  g: Graph,
  x: Value,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps?: readonly number[],
): Value {
  const inputs = [x, g.ints(starts), g.ints(ends), g.ints(axes)];
  return g.node("Slice", steps === undefined ? inputs : [...inputs, g.ints(steps)]);
}

/** Puts zeros around the last three axes of a five-dimensional value. */
export function padSpace(g: Graph, x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((size) => size === 0)) return x;
  return g.node("Pad", [x, g.ints([0, 0, ...before, 0, 0, ...after])]);
}

/** Sums over `axes`; with `keep` they stay as axes of size 1. */
export function sum(g: Graph, x: Value, axes: readonly number[], keep = false): Value {
  return g.node("ReduceSum", [x, g.ints(axes)], { keepdims: keep ? 1 : 0 });
}

/** The matrix product a·b over the last two axes, for each index of the others; `"b"` transposes b, `"a"` a. */
export function multiply(g: Graph, a: Value, b: Value, transposed?: "a" | "b"): Value {
  if (transposed === undefined) return g.node("MatMul", [a, b]);
  const attribute = transposed === "a" ? { transA: 1 } : { transB: 1 };
  return g.node("FusedMatMul", [a, b], attribute, "com.microsoft");
}

/**
 * Reorders (…, a, b, c, z, y, x) to (…, z·a, y·b, x·c); the result is flat. It moves one axis at a time: in
 * onnxruntime, three transpositions of one axis each are three times as fast as one transposition of all.
 */
export function interleave(g: Graph, x: Value, lead: number, [a, b, c]: Triple, [z, y, w]: Triple): Value {
  let value = x;
  const move = (factor: number, shape: readonly number[]) => {
    if (factor > 1) value = transpose(g, reshape(g, value, shape), [0, 2, 1, 3]);
  };
  if (c > 1) value = transpose(g, reshape(g, value, [lead * a * b, c, z * y * w]), [0, 2, 1]);
  move(b, [lead * a, b, z * y, w * c]);
  move(a, [lead, a, z, y * b * w * c]);
  return value;
}

/** Reorders (…, z·a, y·b, x·c) to (…, a, b, c, z, y, x); the result is flat. */
export function deinterleave(g: Graph, x: Value, lead: number, [a, b, c]: Triple, [z, y, w]: Triple): Value {
  let value = x;
  const move = (factor: number, shape: readonly number[]) => {
    if (factor > 1) value = transpose(g, reshape(g, value, shape), [0, 2, 1, 3]);
  };
  move(a, [lead, z, a, y * b * w * c]);
  move(b, [lead * a, z * y, b, w * c]);
  if (c > 1) value = transpose(g, reshape(g, value, [lead * a * b, z * y * w, c]), [0, 2, 1]);
  return value;
}
