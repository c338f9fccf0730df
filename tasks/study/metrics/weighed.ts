/** Statistics of surface distances, weighted by the area of their surface elements. */

export interface WeighedDistances {
  readonly distances: Float64Array;
  readonly weights: Float64Array;
}

/**
 * The weighted quantile: the least distance at which the cumulative share of the weight reaches `quantile`. Infinity
 * without points.
 * Source: one direction of compute_robust_hausdorff in google-deepmind/surface-distance.
 */
export function quantileDistance({ distances, weights }: WeighedDistances, quantile: number): number {
  const weightAt = new Map<number, number>();
  let total = 0;
  distances.forEach((d, i) => {
    weightAt.set(d, (weightAt.get(d) ?? 0) + weights[i]!);
    total += weights[i]!;
  });
  const ascending = [...weightAt.keys()].sort((a, b) => a - b);
  let sum = 0;
  for (const d of ascending) {
    sum += weightAt.get(d)!;
    if (sum / total >= quantile) return d;
  }
  return ascending.at(-1) ?? Infinity;
}

/** The sum of distance times weight, and the sum of the weights. */
export function weighedSum({ distances, weights }: WeighedDistances): { sum: number; weight: number } {
  let [sum, weight] = [0, 0];
  for (let i = 0; i < distances.length; i++) {
    sum += distances[i]! * weights[i]!;
    weight += weights[i]!;
  }
  return { sum, weight };
}

/** The sum of the weights of all distances up to the tolerance. */
export function weightWithin({ distances, weights }: WeighedDistances, tolerance: number): number {
  return weights.reduce((sum, weight, i) => (distances[i]! <= tolerance ? sum + weight : sum), 0);
}
