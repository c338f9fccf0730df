/** Statistics of distances that count by the area of the surface element they belong to. */

export interface WeighedDistances {
  readonly distances: Float64Array;
  readonly weights: Float64Array;
}

/**
 * The distance that the share `quantile` of the weight stays within: the first, in ascending order, at which the
 * cumulative share reaches it. Infinity without any points.
 * Source: google-deepmind/surface-distance compute_robust_hausdorff (of which this is one direction).
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

/** Sum of weighted distances and of the weights. */
export function weighedSum({ distances, weights }: WeighedDistances): { sum: number; weight: number } {
  let [sum, weight] = [0, 0];
  for (let i = 0; i < distances.length; i++) {
    sum += distances[i]! * weights[i]!;
    weight += weights[i]!;
  }
  return { sum, weight };
}

/** Sum of the weights of all distances up to a tolerance. */
export function weightWithin({ distances, weights }: WeighedDistances, tolerance: number): number {
  return weights.reduce((sum, weight, i) => (distances[i]! <= tolerance ? sum + weight : sum), 0);
}
