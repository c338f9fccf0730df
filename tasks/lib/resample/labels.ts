/**
 * Resamples label maps: each label's indicator linearly, and where it reaches one half, the label; the higher label
 * where two do. Where none does, 0.
 * Reference: MIC-DKFZ/batchgenerators resize_segmentation with order 1, as nnU-Net calls it.
 */
import { type AxisMap, axisMap, MARGIN } from "./axis.ts";
import type { Shape } from "./resize.ts";

export type LabelArray = Int8Array | Uint8Array | Int16Array | Uint16Array;

/**
 * On the half-pixel grid. With `separate`, linearly in the slices across that axis, of which the nearest is taken.
 * The sums have the order and the rounding of scipy's, so that ties at one half fall as there.
 */
export function resampleLabelArray<T extends LabelArray>(
  labels: T,
  shape: Shape,
  newShape: Shape,
  separate: 0 | 1 | 2 | null,
): T {
  if (shape.every((n, axis) => n === newShape[axis])) return labels.slice() as T;
  const maps = shape.map((n, axis) =>
    pairs(axisMap(n, newShape[axis]!, axis === separate ? 0 : 1, "half-pixel")),
  ) as [Pairs, Pairs, Pairs];
  return blend(labels, shape, newShape, maps);
}

/** Each voxel takes the label nearest to it, on a grid aligned by its corners (TotalSegmentator's way back). */
export function nearestLabelArray<T extends LabelArray>(labels: T, shape: Shape, newShape: Shape): T {
  const maps = shape.map((n, axis) => pairs(axisMap(n, newShape[axis]!, 0, "corners"))) as [
    Pairs,
    Pairs,
    Pairs,
  ];
  return blend(labels, shape, newShape, maps);
}

/** For each new sample, the two old ones it lies between, and their weights. */
interface Pairs {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowWeight: Float64Array;
  readonly highWeight: Float64Array;
}

function pairs({ from, to, taps, first, weights }: AxisMap): Pairs {
  const index = (i: number, tap: number) => Math.min(Math.max(first[i]! - MARGIN + tap, 0), from - 1);
  return {
    low: Int32Array.from({ length: to }, (_, i) => index(i, 0)),
    high: Int32Array.from({ length: to }, (_, i) => index(i, taps - 1)),
    lowWeight: Float64Array.from({ length: to }, (_, i) => weights[i * taps]!),
    highWeight: Float64Array.from({ length: to }, (_, i) => (taps === 1 ? 0 : weights[i * taps + 1]!)),
  };
}

function blend<T extends LabelArray>(
  labels: T,
  shape: Shape,
  newShape: Shape,
  [zs, ys, xs]: readonly [Pairs, Pairs, Pairs],
): T {
  const result = new (labels.constructor as new (length: number) => T)(
    newShape[0] * newShape[1] * newShape[2],
  );
  const [, ny, nx] = shape;
  const around = new Int32Array(8);
  const weights = new Float64Array(8);
  let to = 0;
  for (let z = 0; z < newShape[0]; z++) {
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
  return result;
}

/** The highest label whose weights sum to one half or more; 0 if there is none. */
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
