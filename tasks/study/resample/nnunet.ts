/**
 * nnU-Net's resampling of images and logits: half-pixel grid, edge values beyond the border, no smoothing, images
 * clipped to their own range.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/resampling/default_resampling.py (on scikit-image's resize).
 */
import type { Shape, Triple } from "../arrays.ts";
import { roundHalfEven } from "../round-half-even.ts";
import type { Samples } from "./axis-pass.ts";
import type { Order } from "./axis.ts";
import type { ResampleCrew } from "./crew.ts";
import { type FloatType, resize } from "./resize.ts";

/**
 * The shape at another spacing: shape · spacing / newSpacing, rounded half to even. A length may become 0. All three
 * have the same order of axes; spacings are in millimetres.
 */
export function targetShape(shape: Shape, spacing: Triple, newSpacing: Triple): Shape {
  const length = (axis: 0 | 1 | 2) => roundHalfEven((spacing[axis] / newSpacing[axis]) * shape[axis]);
  return [length(0), length(1), length(2)];
}

/**
 * The axis along which slices are so thick that they are resampled one by one, or null. It is the coarsest axis of the
 * current spacing if that is more than 3 times the finest, else the coarsest of the new spacing by the same rule. Two
 * equally coarse axes give null. Spacings are in millimetres along the axes of an array in C order (z, y, x).
 */
export function separateAxis(spacing: Triple, newSpacing: Triple): 0 | 1 | 2 | null {
  const anisotropic = [spacing, newSpacing].find((s) => Math.max(...s) / Math.min(...s) > 3);
  if (!anisotropic) return null;
  const coarse = ([0, 1, 2] as const).filter((axis) => anisotropic[axis] === Math.max(...anisotropic));
  return coarse.length === 1 ? coarse[0]! : null;
}

export interface ResampleOptions<T extends Float32Array | Float64Array = Float32Array> {
  /** Resample slices along this axis one by one and take the nearest slice; see separateAxis. */
  readonly separate: 0 | 1 | 2 | null;
  readonly result: FloatType<T>;
  /** Threads that share the work; by default the caller's own thread does all. */
  readonly crew?: ResampleCrew | undefined;
}

/** Resamples one channel by cubic splines and clips it to its own range (each slice to its own, with `separate`). */
export function resampleImageArray<T extends Float32Array | Float64Array>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  options: ResampleOptions<T>,
): Promise<T> {
  return resampleArray(data, shape, newShape, 3, options);
}

/** Resamples one class's logits or probabilities linearly. */
export function resampleLogits<T extends Float32Array | Float64Array>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  options: ResampleOptions<T>,
): Promise<T> {
  return resampleArray(data, shape, newShape, 1, options);
}

async function resampleArray<T extends Float32Array | Float64Array>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  order: Order,
  { separate, result, crew }: ResampleOptions<T>,
): Promise<T> {
  const cubic = order === 3 && shape.some((n, axis) => n !== newShape[axis]);
  const inPlane = { orders: [order, order, order], alignment } as const;
  if (separate === null) {
    const resized = await resize(data, shape, newShape, inPlane, result, crew);
    if (cubic) clipTo(resized, rangeOf(data));
    return resized;
  }
  const between = replaced(newShape, separate, shape[separate]);
  const slices = await resize(data, shape, between, inPlane, result, crew);
  if (cubic) {
    for (let index = 0; index < shape[separate]; index++) {
      clipTo(slices, rangeOf(data, sliceOf(shape, separate, index)), sliceOf(between, separate, index));
    }
  }
  return resize(slices, between, newShape, { orders: [0, 0, 0], alignment }, result, crew);
}

const alignment = "half-pixel";

function replaced(shape: Shape, axis: number, length: number): Shape {
  return shape.map((n, i) => (i === axis ? length : n)) as unknown as Shape;
}

/** `count` runs of `length` values; the first begins at `start`, each next one `step` later. */
interface Runs {
  readonly start: number;
  readonly length: number;
  readonly step: number;
  readonly count: number;
}

function sliceOf(shape: Shape, axis: 0 | 1 | 2, index: number): Runs {
  const length = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  return { start: index * length, length, step: shape[axis] * length, count };
}

const whole = (values: Samples): Runs => ({ start: 0, length: values.length, step: 0, count: 1 });

function rangeOf(values: Samples, runs = whole(values)): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let run = 0; run < runs.count; run++) {
    const start = runs.start + run * runs.step;
    for (let i = start; i < start + runs.length; i++) {
      const value = values[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

function clipTo(
  values: Float32Array | Float64Array,
  [low, high]: readonly [number, number],
  runs = whole(values),
): void {
  for (let run = 0; run < runs.count; run++) {
    const start = runs.start + run * runs.step;
    for (let i = start; i < start + runs.length; i++) {
      const value = values[i]!;
      if (value < low) values[i] = low;
      else if (value > high) values[i] = high;
    }
  }
}
