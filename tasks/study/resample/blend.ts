/** Computes each voxel of a resampled label map from the eight old voxels around it. */
import type { Shape } from "../arrays.ts";
import { type AxisMap, MARGIN } from "./axis.ts";

export type LabelArray = Int8Array | Uint8Array | Int16Array | Uint16Array;

export interface LabelBlend {
  readonly labels: LabelArray;
  readonly shape: Shape;
  readonly newShape: Shape;
  /** Along each axis. */
  readonly pairs: readonly [Pairs, Pairs, Pairs];
  /** The output, of the new shape. */
  readonly result: LabelArray;
}

/** For each new sample: the two old samples around it, and their weights. */
export interface Pairs {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowWeight: Float64Array;
  readonly highWeight: Float64Array;
}

/** The pairs of a map with one or two taps. */
export function pairsOf({ from, to, taps, first, weights }: AxisMap): Pairs {
  const index = (i: number, tap: number) => Math.min(Math.max(first[i]! - MARGIN + tap, 0), from - 1);
  return {
    low: Int32Array.from({ length: to }, (_, i) => index(i, 0)),
    high: Int32Array.from({ length: to }, (_, i) => index(i, taps - 1)),
    lowWeight: Float64Array.from({ length: to }, (_, i) => weights[i * taps]!),
    highWeight: Float64Array.from({ length: to }, (_, i) => (taps === 1 ? 0 : weights[i * taps + 1]!)),
  };
}

/** Computes the slices from `first` to before `end` along axis 0 of the result. */
export function blendSlab(
  { labels, shape, newShape, pairs, result }: LabelBlend,
  first: number,
  end: number,
): void {
  const [zs, ys, xs] = pairs;
  const [, ny, nx] = shape;
  const around = new Int32Array(8);
  const weights = new Float64Array(8);
  let to = first * newShape[1] * newShape[2];
  for (let z = first; z < end; z++) {
    for (let y = 0; y < newShape[1]; y++) {
      const rows = [
        nx * (ys.low[y]! + ny * zs.low[z]!),
        nx * (ys.high[y]! + ny * zs.low[z]!),
        nx * (ys.low[y]! + ny * zs.high[z]!),
        nx * (ys.high[y]! + ny * zs.high[z]!),
      ] as const;
      for (let x = 0; x < newShape[2]; x++, to++) {
        const [low, high] = [xs.low[x]!, xs.high[x]!];
        const first = labels[rows[0] + low]!;
        let alike = true;
        for (let r = 0; r < 4; r++) {
          const a = (around[2 * r] = labels[rows[r]! + low]!);
          const b = (around[2 * r + 1] = labels[rows[r]! + high]!);
          alike &&= a === first && b === first;
        }
        if (alike) {
          result[to] = first;
          continue;
        }
        for (let tap = 0; tap < 8; tap++) {
          const wz = tap & 4 ? zs.highWeight[z]! : zs.lowWeight[z]!;
          const wy = tap & 2 ? ys.highWeight[y]! : ys.lowWeight[y]!;
          const wx = tap & 1 ? xs.highWeight[x]! : xs.lowWeight[x]!;
          weights[tap] = wz * wy * wx;
        }
        result[to] = strongest(around, weights);
      }
    }
  }
}

/** The highest label whose weights sum to at least one half; 0 if there is none. */
function strongest(labels: Int32Array, weights: Float64Array): number {
  let best = 0;
  let found = false;
  for (let tap = 0; tap < 8; tap++) {
    const label = labels[tap]!;
    if (found && label <= best) continue;
    let sum = 0;
    for (let other = 0; other < 8; other++) if (labels[other] === label) sum += weights[other]!;
    if (sum >= 0.5) {
      best = label;
      found = true;
    }
  }
  return best;
}
