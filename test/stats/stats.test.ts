import { describe, expect, it } from "vitest";
import { bootstrapInterval } from "../../tasks/study/stats/bootstrap.ts";
import { correlate } from "../../tasks/study/stats/correlation.ts";
import { quantile } from "../../tasks/study/stats/quantile.ts";
import { quintiles } from "../../tasks/study/stats/quintiles.ts";
import { holm, signedRank } from "../../tasks/study/stats/wilcoxon.ts";

const options = { seed: 1, resamples: 500 };
const pairs = (xs: number[], ys: number[]) => xs.map((x, i) => ({ x, y: ys[i] ?? NaN }));

describe("quintiles", () => {
  it("give 1 plus the number of edges below the value; a null has no class", () => {
    expect(quintiles([1, 2, 3, 4, 5, null])).toEqual([1, 2, 3, 4, 5, null]);
    expect(quintiles([7, 7, 7])).toEqual([1, 1, 1]);
    expect(quintiles([])).toEqual([]);
  });

  it("interpolate between order statistics", () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("the bootstrap interval", () => {
  it("is from the 2.5th to the 97.5th percentile of the statistic", () => {
    // The statistic takes 1000 evenly spaced values from 0 to 1.
    let drawn = 0;
    const uniform = () => (drawn++ % 1000) / 999;
    const { low, high } = bootstrapInterval([1], uniform, { seed: 1, resamples: 1000 });
    expect([low, high].map((value) => value.toFixed(6))).toEqual(["0.025000", "0.975000"]);
  });

  it("draws as many items as there are, with replacement, and leaves undefined statistics out", () => {
    const lengths = new Set<number>();
    const means = new Set<number>();
    const statistic = (items: readonly number[]) => {
      lengths.add(items.length);
      const mean = items.reduce((a, b) => a + b, 0) / items.length;
      means.add(mean);
      return mean === 1 ? null : mean;
    };
    const { low } = bootstrapInterval([1, 2], statistic, { seed: 1, resamples: 200 });
    expect([...lengths]).toEqual([2]);
    expect([...means].sort()).toEqual([1, 1.5, 2]);
    expect(low).toBe(1.5);
  });
});

describe("correlation", () => {
  it("is 1 by rank for a monotone curve, less by Pearson", () => {
    const result = correlate(pairs([1, 2, 3, 4, 5], [1, 4, 9, 16, 25]), options);
    expect(result.spearman.value).toBeCloseTo(1, 12);
    expect(result.pearson.value).toBeCloseTo(0.9811049, 6);
  });

  it("gives ties their mid-rank", () => {
    // ranks x: 1, 2.5, 2.5, 4; y: 1, 2, 3, 4 → 4.5 / sqrt(4.5 · 5)
    expect(correlate(pairs([1, 2, 2, 3], [1, 2, 3, 4]), options).spearman.value).toBeCloseTo(
      4.5 / Math.sqrt(22.5),
      12,
    );
  });

  it("lies inside its interval, which is equal for equal seeds", () => {
    const data = pairs([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 7, 5, 8, 6]);
    const { spearman } = correlate(data, options);
    expect(spearman.low).toBeLessThan(spearman.value ?? NaN);
    expect(spearman.high).toBeGreaterThan(spearman.value ?? NaN);
    expect(correlate(data, options)).toEqual(correlate(data, options));
  });

  it("is undefined for two pairs or a constant", () => {
    expect(correlate(pairs([1, 2], [3, 4]), options).pearson.value).toBeNull();
    expect(correlate(pairs([1, 1, 1], [3, 4, 5]), options).spearman.value).toBeNull();
  });
});

describe("signed-rank test", () => {
  it("is exact for few pairs", () => {
    expect(signedRank([1, 2, 3, 4, 5])).toBeCloseTo(2 / 32, 12);
    expect(signedRank([-1, 2, 3, 4, 5])).toBeCloseTo(4 / 32, 12);
    expect(signedRank([1, -1.5, 2, -2.5])).toBeCloseTo(0.875, 12);
  });

  it("uses the normal approximation with ties and for many pairs", () => {
    // 30 pairs, all positive: z = -465/2 / sqrt(30·31·61/24) = -4.782
    expect(signedRank(Array.from({ length: 30 }, (_, i) => i + 1))).toBeCloseTo(1.734e-6, 8);
    // Ties of 3, 2 and three times 2: variance 12·13·25/24 - 42/48, z = (19.5 - 39) / √161.625.
    expect(signedRank([1, 1, -1, 2, 2, 3, -3, 4, 5, 5, -6, 7])).toBeCloseTo(0.1250688, 6);
    expect(signedRank([0, 0])).toBeNull();
  });

  it("is corrected by Holm, step down", () => {
    expect(holm([0.01, 0.04, 0.03, null])).toEqual([0.03, 0.06, 0.06, null]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });
});
