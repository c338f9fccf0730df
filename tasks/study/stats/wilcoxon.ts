/**
 * Wilcoxon's two-sided signed-rank test of paired scores, and Holm's correction for many comparisons. Zero differences
 * are dropped (Wilcoxon's own rule); ties get mid-ranks. For up to 25 pairs without ties the distribution is exact,
 * otherwise it is the normal approximation with tie correction.
 */
import { midRanks } from "./ranks.ts";

/** The two-sided p of `differences`; null if all are zero. */
export function signedRank(differences: readonly number[]): number | null {
  const nonzero = differences.filter((d) => d !== 0 && Number.isFinite(d));
  const n = nonzero.length;
  if (n === 0) return null;
  const { ranks, ties } = midRanks(nonzero.map(Math.abs));
  const tieTerm = ties.reduce((sum, count) => sum + count ** 3 - count, 0);
  const plus = nonzero.reduce((sum, d, i) => sum + (d > 0 ? ranks[i]! : 0), 0);
  const smaller = Math.min(plus, (n * (n + 1)) / 2 - plus);
  if (n <= 25 && tieTerm === 0) return Math.min(1, 2 * exactLowerTail(n, smaller));
  const mean = (n * (n + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48;
  return Math.min(1, 2 * normalLowerTail((smaller - mean) / Math.sqrt(variance)));
}

/** Holm's step-down adjusted p values, in the given order. A null stays null and does not count. */
export function holm(ps: readonly (number | null)[]): (number | null)[] {
  const order = ps.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = ps.map(() => null);
  let running = 0;
  order.forEach(({ p, i }, rank) => {
    running = Math.max(running, Math.min(1, p * (order.length - rank)));
    adjusted[i] = running;
  });
  return adjusted;
}

/** P(T ≤ t) of the signed-rank statistic of n pairs, by counting the subsets of 1…n with each sum. */
function exactLowerTail(n: number, t: number): number {
  const counts = new Float64Array((n * (n + 1)) / 2 + 1);
  counts[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let s = counts.length - 1; s >= rank; s--) counts[s] = (counts[s] ?? 0) + (counts[s - rank] ?? 0);
  }
  let below = 0;
  for (let s = 0; s <= t; s++) below += counts[s] ?? 0;
  return below / 2 ** n;
}

/**
 * Φ(z) by the rational Chebyshev fit of erfc in Numerical Recipes (2nd ed., section 6.2): relative error below 1.2e-7.
 */
function normalLowerTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const poly = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ].reduceRight((sum, c) => sum * t + c, 0);
  const erfc = t * Math.exp(-x * x + poly);
  return z < 0 ? erfc / 2 : 1 - erfc / 2;
}
