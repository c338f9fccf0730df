/** Tests how much paired scores differ. */
import { bootstrapInterval, type Bootstrap, type Interval } from "./bootstrap.ts";
import { signedRank } from "./wilcoxon.ts";

export interface PairedDifference {
  /** Number of pairs. */
  readonly n: number;
  readonly mean: number;
  /** 95 % percentile bootstrap interval of the mean, over the pairs. */
  readonly interval: Interval;
  /** Two-sided p of Wilcoxon's signed-rank test; null if no pair differs. */
  readonly p: number | null;
}

/** Statistics of the differences of pairs; null without pairs. */
export function pairedDifference(
  differences: readonly number[],
  settings: Bootstrap,
): PairedDifference | null {
  if (differences.length === 0) return null;
  return {
    n: differences.length,
    mean: meanOf(differences),
    interval: bootstrapInterval(differences, meanOf, settings),
    p: signedRank(differences),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
