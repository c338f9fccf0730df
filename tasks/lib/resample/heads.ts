/**
 * From what a network says of each class on its own grid to labels on another, some slices at a time, so that no more
 * than a slab of two heads is in memory at the new size.
 */
import { type ResizeOptions, resizeSlab, type Shape } from "./passes.ts";

export interface HeadLabels {
  /** One array for each head, logits or probabilities, of `shape`. */
  readonly heads: readonly Float32Array[];
  readonly shape: Shape;
  readonly newShape: Shape;
  /** Not of cubic splines. */
  readonly options: ResizeOptions;
  /**
   * "greatest": a voxel takes the number of the head with the greatest value, the first of equals. Else what each
   * head writes where its value is positive (its sigmoid above one half), later heads over earlier ones.
   */
  readonly choice: "greatest" | readonly number[];
  /** Zeros, of the new shape; written. */
  readonly labels: Uint8Array | Uint16Array;
}

/** Slices `first` to before `end` along axis 0 of the labels. */
export function labelSlab(work: HeadLabels, first: number, end: number): void {
  const { heads, shape, newShape, options, choice } = work;
  const plane = newShape[1] * newShape[2];
  const labels = work.labels.subarray(first * plane, end * plane);
  let best: Float32Array | null = null;
  for (const [k, head] of heads.entries()) {
    const values = resizeSlab(head, shape, newShape, options, [first, end], Float32Array);
    if (choice !== "greatest") write(values, choice[k]!, labels);
    // What was not resampled is a part of the head itself.
    else if (best === null) best = values.slice();
    else keepGreater(values, k, best, labels);
  }
}

function keepGreater(
  values: Float32Array,
  k: number,
  best: Float32Array,
  labels: HeadLabels["labels"],
): void {
  for (let i = 0; i < best.length; i++) {
    if (values[i]! > best[i]!) {
      best[i] = values[i]!;
      labels[i] = k;
    }
  }
}

function write(values: Float32Array, label: number, labels: HeadLabels["labels"]): void {
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) labels[i] = label;
}
