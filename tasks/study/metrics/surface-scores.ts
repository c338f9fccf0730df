/** Computes Surface Dice and surface distances of one label. */
import { nearestDistances } from "./distances.ts";
import type { Surface } from "./surface.ts";
import type { Spacing } from "./surface-area.ts";
import { ballSize } from "./marks.ts";
import { sharesWithin, surfaceDice } from "./tolerance.ts";
import { quantileDistance, type WeighedDistances, weighedSum, weightWithin } from "./weighed.ts";

export interface SurfaceScores {
  readonly surface_dice: number | null;
  readonly hd95: number | null;
  readonly assd: number | null;
}

export interface SurfaceOptions {
  /** Neighbour code → area of a point. */
  readonly areas: Float64Array;
  readonly spacing: Spacing;
  readonly tolerance: number;
  /** Whether to compute hd95 and assd; else they are null. */
  readonly distances: boolean;
}

/** If both surfaces are empty all scores are null. If one is, Surface Dice is 0 and the distances are null. */
export function surfaceScores(
  reference: Surface,
  prediction: Surface,
  options: SurfaceOptions,
): SurfaceScores {
  if (reference.length === 0 && prediction.length === 0)
    return { surface_dice: null, hd95: null, assd: null };
  if (reference.length === 0 || prediction.length === 0) return { surface_dice: 0, hd95: null, assd: null };
  const { areas, spacing, tolerance } = options;
  const few = ballSize(spacing, tolerance) <= LARGEST_BALL;
  if (few && !options.distances) {
    const shares = sharesWithin(reference, prediction, areas, spacing, tolerance);
    return { surface_dice: surfaceDice(shares), hd95: null, assd: null };
  }
  const toPrediction = measure(reference, prediction, options);
  const toReference = measure(prediction, reference, options);
  const [a, b] = [weighedSum(toPrediction), weighedSum(toReference)];
  const shares = few
    ? sharesWithin(reference, prediction, areas, spacing, tolerance)
    : {
        reference: { area: a.weight, within: weightWithin(toPrediction, tolerance) },
        prediction: { area: b.weight, within: weightWithin(toReference, tolerance) },
      };
  return {
    surface_dice: surfaceDice(shares),
    hd95: options.distances
      ? Math.max(quantileDistance(toPrediction, 0.95), quantileDistance(toReference, 0.95))
      : null,
    assd: options.distances ? (a.sum + b.sum) / (a.weight + b.weight) : null,
  };
}

/** If more places than this lie within the tolerance, computing distances is faster. */
const LARGEST_BALL = 4096;

function measure(from: Surface, to: Surface, { areas, spacing }: SurfaceOptions): WeighedDistances {
  return {
    distances: nearestDistances(from, to, spacing),
    weights: Float64Array.from({ length: from.length }, (_, i) => areas[from.code[i]!]!),
  };
}
