/** Correlation of paired samples, with percentile bootstrap intervals over the pairs. */
import { sampleCorrelation } from "simple-statistics";
import { bootstrapInterval, type Bootstrap } from "./bootstrap.ts";
import { midRanks } from "./ranks.ts";

export interface Pair {
  readonly x: number;
  readonly y: number;
}

export interface Correlation {
  /** Number of pairs. */
  readonly n: number;
  readonly pearson: Estimate;
  readonly spearman: Estimate;
}

/** All null if undefined: fewer than three pairs, or a constant sample. */
export interface Estimate {
  readonly value: number | null;
  /** 95 % percentile bootstrap interval. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Pearson's and Spearman's correlation of `pairs` (Spearman's with mid-ranks for ties). */
export function correlate(pairs: readonly Pair[], options: Bootstrap): Correlation {
  return {
    n: pairs.length,
    pearson: estimate(pairs, pearson, options),
    spearman: estimate(pairs, spearman, options),
  };
}

function estimate(
  pairs: readonly Pair[],
  statistic: (pairs: readonly Pair[]) => number | null,
  options: Bootstrap,
): Estimate {
  const value = pairs.length < 3 ? null : statistic(pairs);
  if (value === null) return { value: null, low: null, high: null };
  return { value, ...bootstrapInterval(pairs, statistic, options) };
}

/** Pearson's correlation; null for a constant sample. */
export function pearson(pairs: readonly Pair[]): number | null {
  return finite(sampleCorrelation(xs(pairs), ys(pairs)));
}

/** Spearman's correlation; null for a constant sample. */
export function spearman(pairs: readonly Pair[]): number | null {
  return finite(sampleCorrelation(midRanks(xs(pairs)).ranks, midRanks(ys(pairs)).ranks));
}

const xs = (pairs: readonly Pair[]) => pairs.map((p) => p.x);
const ys = (pairs: readonly Pair[]) => pairs.map((p) => p.y);
const finite = (value: number) => (Number.isFinite(value) ? value : null);
