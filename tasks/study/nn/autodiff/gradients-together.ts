/**
 * Input and weight gradient of a convolution of stride 1, both from the same shifted copies of the upstream gradient.
 *
 * Let U be the upstream gradient, shifted along y and x by every tap (9·O rows for a 3×3×3 kernel).
 * - A product of U with the weights gives kz·I planes. Shifted along z and added, they are the input gradient.
 * - A product of U with the input, shifted along z (kz·I rows), is the weight gradient.
 * So 9 + 3 copies serve both, instead of 27 for each. Compared with a convolution with the flipped kernel and a
 * separate weight gradient, this takes a fifth to a third less time with few channels, and as long with many (measured).
 */
import type { Triple } from "../../arrays.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import type { Correlation } from "./correlation.ts";
import { multiply, padSpace, product, reshape, slice, sum, transpose } from "./shapes.ts";

export interface Geometry extends Correlation {
  readonly batch: number;
  readonly inputSize: Triple;
  readonly outputSize: Triple;
}

/** The gradients of input and weight. Needs an odd kernel, stride 1 and an output as large as the input. */
export function bothGradients(
  g: Graph,
  upstream: Value,
  x: Value,
  weight: Value,
  c: Geometry,
): readonly [Value, Value] {
  const [kz, ky, kx] = c.kernel;
  const voxels = product(c.inputSize);
  const rows = reshape(g, shiftPlane(g, upstream, c), [c.batch, ky * kx * c.to, voxels]);

  const matrix = reshape(g, transpose(g, weight, [2, 1, 3, 4, 0]), [kz * c.from, ky * kx * c.to]);
  const planes = reshape(g, multiply(g, matrix, rows), [c.batch, kz * c.from, ...c.inputSize]);
  const input = addDepth(g, planes, c);

  const deep = reshape(g, shiftDepth(g, x, c), [c.batch, kz * c.from, voxels]);
  const perSample = multiply(g, deep, rows, "b");
  const total = c.batch === 1 ? perSample : sum(g, perSample, [0]);
  return [input, transpose(g, reshape(g, total, [kz, c.from, ky, kx, c.to]), [4, 1, 0, 2, 3])];
}

/** Copies as channels (ky, kx, O): the value of voxel v moves to v + tap − padding. */
function shiftPlane(g: Graph, upstream: Value, c: Geometry): Value {
  const [, ky, kx] = c.kernel;
  const [, height, width] = c.inputSize;
  const [, padY, padX] = c.before;
  const padded = padSpace(g, upstream, [0, ky - 1 - padY, kx - 1 - padX], [0, padY, padX]);
  const parts: Value[] = [];
  for (let y = ky - 1; y >= 0; y--) {
    for (let k = kx - 1; k >= 0; k--) parts.push(slice(g, padded, [3, 4], [y, k], [y + height, k + width]));
  }
  return stack(g, parts);
}

/** Copies as channels (kz, I): voxel v gets the value of v + tap − padding. */
function shiftDepth(g: Graph, x: Value, c: Geometry): Value {
  const [kz] = c.kernel;
  if (kz === 1) return x;
  const padded = padSpace(g, x, [c.before[0], 0, 0], [c.after[0], 0, 0]);
  const parts = Array.from({ length: kz }, (_, k) => slice(g, padded, [2], [k], [k + c.inputSize[0]]));
  return stack(g, parts);
}

/** Moves each of the kz groups of channels by tap − padding along z and adds them; drops what leaves the volume. */
function addDepth(g: Graph, planes: Value, c: Geometry): Value {
  const [kz] = c.kernel;
  if (kz === 1) return planes;
  const depth = c.inputSize[0];
  const parts = Array.from({ length: kz }, (_, k) => {
    const shift = k - c.before[0];
    // A kernel may reach beyond a volume of few slices on both sides.
    if (Math.abs(shift) >= depth) return [];
    const [first, last] = [k * c.from, (k + 1) * c.from];
    if (shift === 0) return slice(g, planes, [1], [first], [last]);
    const part = slice(g, planes, [1, 2], [first, Math.max(-shift, 0)], [last, depth - Math.max(shift, 0)]);
    return padSpace(g, part, [Math.max(shift, 0), 0, 0], [Math.max(-shift, 0), 0, 0]);
  }).flat();
  return g.node("Sum", parts);
}

/** Concatenates along channels. */
export function stack(g: Graph, parts: readonly Value[]): Value {
  return parts.length === 1 ? parts[0]! : g.node("Concat", parts, { axis: 1 });
}
