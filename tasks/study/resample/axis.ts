/**
 * One axis of a resampling: which samples of the old axis each sample of the new one is made of.
 * Reference: scipy.ndimage.zoom (ni_interpolation.c), mode "nearest": the edge value goes on for ever.
 */

/** Polynomial order of the interpolation: nearest, linear, cubic B-spline (which goes through the samples). */
export type Order = 0 | 1 | 3;

/**
 * How the samples of old and new axis lie over each other: "half-pixel", the outer edges of the first and last
 * sample coincide (scikit-image, nnU-Net, torch); "corners", their centres do (scipy's default, TotalSegmentator).
 */
export type Alignment = "half-pixel" | "corners";

/** Samples that a line is continued by at both ends, so that every tap exists. */
export const MARGIN = 2;

/** Lines that are worked on together. */
export const BLOCK = 32;

export interface AxisMap {
  readonly from: number;
  readonly to: number;
  /** Samples that each new one is made of: 1, 2 or 4. */
  readonly taps: number;
  /** The first of them, counted with the margin. */
  readonly first: Int32Array;
  /** Weights, `taps` for each new sample. */
  readonly weights: Float64Array;
}

/** From `from` samples to `to`, both at least 1. */
export function axisMap(from: number, to: number, order: Order, alignment: Alignment): AxisMap {
  const taps = order + 1;
  const first = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const place = placeOf(i, from, to, alignment);
    const sample = Math.floor(order === 0 ? place + 0.5 : place);
    first[i] = sample + MARGIN - (order === 3 ? 1 : 0);
    weights.set(weightsOf(place - sample, order), i * taps);
  }
  return { from, to, taps, first, weights };
}

function placeOf(i: number, from: number, to: number, alignment: Alignment): number {
  if (alignment === "half-pixel") return (i + 0.5) * (from / to) - 0.5;
  return to > 1 ? i * ((from - 1) / (to - 1)) : 0;
}

/** Weights for a place that lies `x` (0 ≤ x < 1) after a sample; the last makes the sum 1. */
function weightsOf(x: number, order: Order): number[] {
  if (order === 0) return [1];
  if (order === 1) return [1 - x, 1 - (1 - x)];
  const z = 1 - x;
  const before = (z * z * z) / 6;
  const here = (x * x * (x - 2) * 3 + 4) / 6;
  const next = (z * z * (z - 2) * 3 + 4) / 6;
  return [before, here, next, 1 - before - here - next];
}
