/**
 * nnU-Net's resampling of images, labels and logits.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/resampling/default_resampling.py, which rests on scikit-image's
 * resize: half-pixel grid, edge values go on beyond the border, no smoothing, images clipped to their own range.
 */
import type { Shape, Triple } from "../arrays.ts";
import { roundHalfEven } from "../round-half-even.ts";
import type { Samples } from "./axis-pass.ts";
import type { Order } from "./axis.ts";
import type { ResampleCrew } from "./crew.ts";
import { type FloatType, resize } from "./resize.ts";

/**
 * Shape at another spacing (millimetres along the same axes): shape · spacing / newSpacing, rounded half to even; 0 is
 * possible.
 */
export function targetShape(shape: Shape, spacing: Triple, newSpacing: Triple): Shape {
  const length = (axis: 0 | 1 | 2) => roundHalfEven((spacing[axis] / newSpacing[axis]) * shape[axis]);
  return [length(0), length(1), length(2)];
}

/**
 * The axis along which slices are so thick that they are resampled one by one, or null: the coarse axis of the
 * current spacing (millimetres along the axes of an array in C order) if its ratio to the finest is above 3, else that of the new spacing. Two equally coarse axes: null.
 */
export function separateAxis(spacing: Triple, newSpacing: Triple): 0 | 1 | 2 | null {
  const anisotropic = [spacing, newSpacing].find((s) => Math.max(...s) / Math.min(...s) > 3);
  if (!anisotropic) return null;
  const coarse = ([0, 1, 2] as const).filter((axis) => anisotropic[axis] === Math.max(...anisotropic));
  return coarse.length === 1 ? coarse[0]! : null;
}

export interface ResampleOptions<T extends Float32Array | Float64Array = Float32Array> {
  /** Slices along this axis are resampled one by one and the nearest taken; see separateAxis. */
  readonly separate: 0 | 1 | 2 | null;
  readonly result: FloatType<T>;
  /** Threads to share the work; none by default. */
  readonly crew?: ResampleCrew | undefined;
}

/** An image of one channel by cubic splines, clipped to its least and greatest value (of a slice, if separate). */
export function resampleImageArray<T extends Float32Array | Float64Array>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  options: ResampleOptions<T>,
): Promise<T> {
  return resampleArray(data, shape, newShape, 3, options);
}

/** Logits or probabilities of one class, linearly. */
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

/** `count` runs of `length` values, the first at `start`, then every `step`. */
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
