/** Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). */
import { z } from "zod";
import { createRandom } from "../random.ts";
import { quantile } from "./quantile.ts";

export const bootstrap = z.strictObject({ seed: z.int(), resamples: z.int().positive() });

export type Bootstrap = z.infer<typeof bootstrap>;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The 95 % interval of a statistic of `items`. A resample in which it is undefined (null) does not count. */
export function bootstrapInterval<T>(
  items: readonly T[],
  statistic: (resample: readonly T[]) => number | null,
  { seed, resamples }: Bootstrap,
): Interval {
  const random = createRandom(seed);
  const values: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const value = statistic(items.map(() => items[random.int(items.length)]!));
    if (value !== null) values.push(value);
  }
  values.sort((a, b) => a - b);
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
