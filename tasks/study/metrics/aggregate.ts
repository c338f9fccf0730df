/**
 * Aggregates the scores of cases into one cell of a table.
 * Source: equations 2 and 4 of the paper ("Good Enough: Is it Worth Improving your Label Quality?").
 */
import { z } from "zod";

export const aggregation = z.strictObject({
  /** Standard deviation over cases: divided by N (population) or N - 1 (sample). */
  deviation: z.enum(["population", "sample"]),
});

export type Aggregation = z.infer<typeof aggregation>;

/** One organ's score over all cases in which it is defined; NaN if there are too few cases. */
export interface OrganStatistics {
  readonly mean: number;
  readonly std: number;
  readonly cases: number;
}

export interface Aggregate {
  /** Mean of the organs' means; every organ has the same weight (eq. 4). NaN without organs. */
  readonly mean: number;
  /** Root mean square of the organs' deviations. */
  readonly std: number;
  readonly organs: readonly OrganStatistics[];
}

/**
 * Aggregates `scores[organ][case]`. A null or NaN is an undefined score and does not count. An organ without any score
 * does not count in the mean, and one whose deviation is undefined does not count in the deviation.
 */
export function aggregate(scores: readonly (readonly (number | null)[])[], settings: Aggregation): Aggregate {
  const organs = scores.map((values) => statistics(values, settings));
  const means = organs.map((o) => o.mean).filter(Number.isFinite);
  const variances = organs.map((o) => o.std ** 2).filter(Number.isFinite);
  return { mean: meanOf(means), std: Math.sqrt(meanOf(variances)), organs };
}

/** Mean and deviation of one organ over cases (eq. 2). */
function statistics(values: readonly (number | null)[], { deviation }: Aggregation): OrganStatistics {
  const defined = values.filter((v): v is number => v !== null && Number.isFinite(v));
  const mean = meanOf(defined);
  const squares = defined.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const divisor = deviation === "sample" ? defined.length - 1 : defined.length;
  return { mean, std: divisor > 0 ? Math.sqrt(squares / divisor) : NaN, cases: defined.length };
}

function meanOf(values: readonly number[]): number {
  return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : NaN;
}
