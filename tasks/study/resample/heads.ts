/**
 * Turns a network's output heads into labels on another grid, row by row. Of all arrays only the labels have the new
 * size, which saves memory.
 */
import type { Shape } from "../arrays.ts";
import type { Pairs } from "./blend.ts";

export interface HeadLabels {
  /** One array of logits or probabilities for each head, of shape `shape`. */
  readonly heads: readonly Float32Array[];
  readonly shape: Shape;
  readonly newShape: Shape;
  /** Along each axis. */
  readonly pairs: readonly [Pairs, Pairs, Pairs];
  /**
   * "greatest": a voxel takes the number of the head with the greatest value, the first of equal ones. A list: each
   * head writes its label where its value is positive (its sigmoid above one half); later heads overwrite earlier ones.
   */
  readonly choice: "greatest" | readonly number[];
  /** The output, of the new shape; zeros at first. */
  readonly labels: Uint8Array | Uint16Array;
}

/** Computes the rows (along axis 2) from `first` to before `end` of the labels. */
export function labelRows(work: HeadLabels, first: number, end: number): void {
  const { heads, shape, newShape, choice } = work;
  const [zs, ys, xs] = work.pairs;
  const row = new Float64Array(shape[2]);
  const best = new Float32Array(newShape[2]);
  for (let r = first; r < end; r++) {
    const [z, y] = [Math.floor(r / newShape[1]), r % newShape[1]];
    const labels = work.labels.subarray(r * newShape[2], (r + 1) * newShape[2]);
    for (let k = 0; k < heads.length; k++) {
      blendRows(heads[k]!, shape, zs, z, ys, y, row);
      if (choice !== "greatest") write(row, xs, choice[k]!, labels);
      else if (k === 0) for (let x = 0; x < best.length; x++) best[x] = valueAt(row, xs, x);
      else keepGreater(row, xs, k, best, labels);
    }
  }
}

/** Interpolates the row of old columns at the new z and y. */
function blendRows(
  head: Float32Array,
  shape: Shape,
  zs: Pairs,
  z: number,
  ys: Pairs,
  y: number,
  row: Float64Array,
): void {
  const at = (slice: number, line: number) => shape[2] * (line + shape[1] * slice);
  const a = at(zs.low[z]!, ys.low[y]!);
  const b = at(zs.low[z]!, ys.high[y]!);
  const c = at(zs.high[z]!, ys.low[y]!);
  const d = at(zs.high[z]!, ys.high[y]!);
  const [lowZ, highZ, lowY, highY] = [
    zs.lowWeight[z]!,
    zs.highWeight[z]!,
    ys.lowWeight[y]!,
    ys.highWeight[y]!,
  ];
  for (let x = 0; x < row.length; x++) {
    row[x] =
      lowZ * (lowY * head[a + x]! + highY * head[b + x]!) +
      highZ * (lowY * head[c + x]! + highY * head[d + x]!);
  }
}

/** The value at new column x, in single precision, because nnU-Net compares in it. */
function valueAt(row: Float64Array, { low, high, lowWeight, highWeight }: Pairs, x: number): number {
  return Math.fround(lowWeight[x]! * row[low[x]!]! + highWeight[x]! * row[high[x]!]!);
}

function keepGreater(
  row: Float64Array,
  xs: Pairs,
  k: number,
  best: Float32Array,
  labels: HeadLabels["labels"],
): void {
  for (let x = 0; x < best.length; x++) {
    const value = valueAt(row, xs, x);
    if (value > best[x]!) {
      best[x] = value;
      labels[x] = k;
    }
  }
}

function write(row: Float64Array, xs: Pairs, label: number, labels: HeadLabels["labels"]): void {
  for (let x = 0; x < labels.length; x++) if (valueAt(row, xs, x) > 0) labels[x] = label;
}
