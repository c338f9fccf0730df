/**
 * Resamples label maps. Each label's indicator is interpolated linearly. A voxel takes the label whose indicator
 * reaches one half (the higher one if two do), else 0.
 * Reference: MIC-DKFZ/batchgenerators resize_segmentation with order 1, as nnU-Net calls it.
 */
import type { Shape } from "../arrays.ts";
import { parts, shared, sharedArray } from "../threads/crew.ts";
import { type Alignment, axisMap, type Order } from "./axis.ts";
import { type LabelArray, type LabelBlend, pairsOf } from "./blend.ts";
import { alone, MANY, SHARES, type ResampleCrew } from "./crew.ts";

export type { LabelArray };

/**
 * The label map resampled from `shape` to `newShape` (C order) on the half-pixel grid. With `separate` it takes the
 * nearest slice along that axis and interpolates within slices. Sums have scipy's order and rounding, so that ties at
 * one half fall the same way.
 */
export async function resampleLabelArray<T extends LabelArray>(
  labels: T,
  shape: Shape,
  newShape: Shape,
  separate: 0 | 1 | 2 | null,
  crew?: ResampleCrew,
): Promise<T> {
  if (shape.every((n, axis) => n === newShape[axis])) return labels.slice() as T;
  const orders = ([0, 1, 2] as const).map((axis) => (axis === separate ? 0 : 1));
  return blended(labels, shape, newShape, orders, "half-pixel", crew);
}

/** The nearest label for each voxel, on a grid aligned by its corners (TotalSegmentator's way back). */
export function nearestLabelArray<T extends LabelArray>(
  labels: T,
  shape: Shape,
  newShape: Shape,
  crew?: ResampleCrew,
): Promise<T> {
  return blended(labels, shape, newShape, [0, 0, 0], "corners", crew);
}

async function blended<T extends LabelArray>(
  labels: T,
  shape: Shape,
  newShape: Shape,
  orders: readonly Order[],
  alignment: Alignment,
  crew: ResampleCrew = alone,
): Promise<T> {
  const pairs = orders.map((order, axis) =>
    pairsOf(axisMap(shape[axis]!, newShape[axis]!, order, alignment)),
  ) as unknown as LabelBlend["pairs"];
  const length = newShape[0] * newShape[1] * newShape[2];
  const together = crew.threads > 1 && length >= MANY;
  const type = labels.constructor as Uint8ArrayConstructor;
  const result = together ? sharedArray(type, length) : new type(length);
  const blend = { labels: together ? shared(labels) : labels, shape, newShape, pairs, result };
  const cut = parts(newShape[0], together ? SHARES * crew.threads : 1);
  await crew.work(cut.map((part) => ({ kind: "blend", blend, ...part })));
  return (together ? result.slice() : result) as LabelArray as T;
}
