/** Correlation of two paired samples, with percentile bootstrap intervals over the pairs. */
import { sampleCorrelation } from "simple-statistics";
import { bootstrapInterval, type Bootstrap } from "./bootstrap.ts";

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

/** Null where undefined: fewer than three pairs, or a constant sample. */
export interface Estimate {
  readonly value: number | null;
  /** 95 % percentile bootstrap interval. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Pearson's and Spearman's (mid-ranks for ties) correlation of `pairs`, resampled `resamples` times from `seed`. */
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

function pearson(pairs: readonly Pair[]): number | null {
  return finite(sampleCorrelation(xs(pairs), ys(pairs)));
}

/** Spearman's correlation; null for a constant sample. */
export function spearman(pairs: readonly Pair[]): number | null {
  return finite(sampleCorrelation(midRanks(xs(pairs)), midRanks(ys(pairs))));
}

/** Ranks from 1; equal values share the mean of their ranks. */
function midRanks(values: number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Array<number>(values.length);
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j < order.length && values[order[j] ?? 0] === values[order[i] ?? 0]) j++;
    for (let k = i; k < j; k++) ranks[order[k] ?? 0] = (i + j + 1) / 2;
    i = j;
  }
  return ranks;
}

const xs = (pairs: readonly Pair[]) => pairs.map((p) => p.x);
const ys = (pairs: readonly Pair[]) => pairs.map((p) => p.y);
const finite = (value: number) => (Number.isFinite(value) ? value : null);
