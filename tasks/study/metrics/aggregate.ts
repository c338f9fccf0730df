/**
 * From scores of cases to a cell of a table.
 * Source: equations 2 and 4 of the paper ("Good Enough: Is it Worth Improving your Label Quality?").
 */
import { z } from "zod";

export const aggregation = z.strictObject({
  /** Standard deviation over cases: divided by N (population) or N - 1 (sample). */
  deviation: z.enum(["population", "sample"]),
});

export type Aggregation = z.infer<typeof aggregation>;

/** Of one organ over all cases in which its score is defined; NaN where there are too few of them. */
export interface OrganStatistics {
  readonly mean: number;
  readonly std: number;
  readonly cases: number;
}

export interface Aggregate {
  /** Mean over organs of the organs' means, every organ weighing the same (eq. 4); NaN without any. */
  readonly mean: number;
  /** Root mean square of the organs' deviations. */
  readonly std: number;
  readonly organs: readonly OrganStatistics[];
}

/**
 * `scores[organ][case]`; null or NaN where a score is undefined, which leaves that pair out. An organ without any
 * score is left out of the mean, and one whose deviation is undefined is left out of the deviation.
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
