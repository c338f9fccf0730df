/** Short names for the shape operations that the gradients are made of. */
import type { Graph, Value } from "../onnx/graph.ts";

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  return g.node("Reshape", [x, g.ints(shape)]);
}

export function transpose(g: Graph, x: Value, order: readonly number[]): Value {
  return g.node("Transpose", [x], { perm: order });
}

/** Elements start, start + step, … below end along each given axis. */
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

/** Zeros around the last three axes of a five-dimensional value. */
export function padSpace(g: Graph, x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((size) => size === 0)) return x;
  return g.node("Pad", [x, g.ints([0, 0, ...before, 0, 0, ...after])]);
}

/** Sum over `axes`; the axes are kept as 1 when `keep` is set. */
export function sum(g: Graph, x: Value, axes: readonly number[], keep = false): Value {
  return g.node("ReduceSum", [x, g.ints(axes)], { keepdims: keep ? 1 : 0 });
}

/** a·b over the last two axes, batches along the others; `"b"` transposes b, `"a"` transposes a. */
export function multiply(g: Graph, a: Value, b: Value, transposed?: "a" | "b"): Value {
  if (transposed === undefined) return g.node("MatMul", [a, b]);
  const attribute = transposed === "a" ? { transA: 1 } : { transB: 1 };
  return g.node("FusedMatMul", [a, b], attribute, "com.microsoft");
}
