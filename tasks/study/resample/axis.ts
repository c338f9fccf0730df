/**
 * Maps one axis to another length: each new sample is a weighted sum of a few old samples ("taps").
 * Reference: scipy.ndimage.zoom (ni_interpolation.c), mode "nearest": the line continues with its edge values.
 */

/** Polynomial order of the interpolation: 0 nearest, 1 linear, 3 cubic B-spline through the samples. */
export type Order = 0 | 1 | 3;

/**
 * The position of the new axis over the old one. "half-pixel": the outer edges of the first and last samples coincide
 * (scikit-image, nnU-Net, torch). "corners": their centres coincide (scipy's default, TotalSegmentator).
 */
export type Alignment = "half-pixel" | "corners";

/** Number of samples added at both ends of a line, so that every tap exists. */
export const MARGIN = 2;

/** Number of lines in a block. */
export const BLOCK = 32;

export interface AxisMap {
  readonly from: number;
  readonly to: number;
  /** Number of old samples in each new one: 1, 2 or 4. */
  readonly taps: number;
  /** For each new sample, the index of its first tap in the line with its margin. */
  readonly first: Int32Array;
  /** The weights of the taps, `taps` for each new sample. */
  readonly weights: Float64Array;
}

/** The map from `from` samples to `to` samples, both at least 1. */
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

/** The weights for a place `x` (0 ≤ x < 1) after a sample. The last weight makes the sum 1. */
function weightsOf(x: number, order: Order): number[] {
  if (order === 0) return [1];
  if (order === 1) return [1 - x, 1 - (1 - x)];
  const z = 1 - x;
  const before = (z * z * z) / 6;
  const here = (x * x * (x - 2) * 3 + 4) / 6;
  const next = (z * z * (z - 2) * 3 + 4) / 6;
  return [before, here, next, 1 - before - here - next];
}
