/** Measures how much of two surfaces lies within a tolerance of each other. */
import { type Ball, ballOf, Marks, PREDICTION, REFERENCE } from "./marks.ts";
import type { Spacing } from "./surface-area.ts";
import type { Surface } from "./surface.ts";

/** The area (or count) of each surface, and of its part within the tolerance of the other surface. */
export interface Shares {
  readonly reference: { readonly area: number; readonly within: number };
  readonly prediction: { readonly area: number; readonly within: number };
}

/**
 * A point is within the tolerance if a point of the other surface is at most that far:
 * √((dx·sx)² + (dy·sy)² + (dz·sz)²) ≤ tolerance, in double precision.
 * @param areas neighbour code → area
 */
export function sharesWithin(
  reference: Surface,
  prediction: Surface,
  areas: Float64Array,
  spacing: Spacing,
  tolerance: number,
): Shares {
  const marks = new Marks(reference, prediction, spacing, tolerance);
  const ball = ballOf(spacing, tolerance, marks);
  return {
    reference: shareOf(reference, PREDICTION, marks, ball, areas),
    prediction: shareOf(prediction, REFERENCE, marks, ball, areas),
  };
}

/** The share of both surfaces that is within the tolerance; NaN if both are empty. */
export function surfaceDice({ reference, prediction }: Shares): number {
  return (reference.within + prediction.within) / (reference.area + prediction.area);
}

function shareOf(
  surface: Surface,
  other: number,
  marks: Marks,
  { steps }: Ball,
  areas: Float64Array,
): { area: number; within: number } {
  const { data } = marks;
  // Count points by code and weigh the counts at the end: sums of whole numbers are exact.
  const all = new Float64Array(256);
  const near = new Float64Array(256);
  for (let i = 0; i < surface.length; i++) {
    const at = marks.at(surface, i);
    const code = surface.code[i]!;
    all[code]!++;
    for (let o = 0; o < steps.length; o++) {
      if (data[at + steps[o]!]! & other) {
        near[code]!++;
        break;
      }
    }
  }
  const weigh = (counts: Float64Array) => counts.reduce((sum, count, code) => sum + count * areas[code]!, 0);
  return { area: weigh(all), within: weigh(near) };
}
