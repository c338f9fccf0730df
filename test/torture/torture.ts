/**
 * Random tests, which run in two ways: briefly with fixed seeds in the test suite, and long with new seeds by
 * `npm run torture`. A long run appends the result of each seed to cache/torture.jsonl, from which scripts/torture.mjs
 * makes bench/TORTURE.md.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { it } from "vitest";
import { HOME } from "../helpers/bundle.ts";

/** Whether this is a long run. */
export const LONG = process.env["LQ_TORTURE"] !== undefined;

/** Numbers of what a test did, by name: { kills: 10 }. */
export interface Counts {
  readonly [what: string]: number;
}

/**
 * Declares one test for each seed. A seed can be repeated alone (LQ_SEED=1038 LQ_SEEDS=1).
 * @param title key of the results in bench/TORTURE.md
 * @param body the test
 */
export function torture(
  title: string,
  seeds: { readonly quick: number; readonly long: number },
  body: (seed: number) => Counts | Promise<Counts>,
): void {
  it.each(seedsOf(seeds))(`${title} (seed %i)`, LONG ? { timeout: 3_600_000 } : {}, async (seed) => {
    try {
      keep({ title, seed, counts: await body(seed) });
    } catch (error) {
      keep({ title, seed, counts: null });
      throw error;
    }
  });
}

/** Number of rounds for one seed. */
export function rounds(quick: number, long: number): number {
  return LONG ? long : quick;
}

function seedsOf({ quick, long }: { readonly quick: number; readonly long: number }): readonly number[] {
  const { LQ_SEED, LQ_SEEDS } = process.env;
  const first = Number(LQ_SEED ?? (LONG ? Math.floor(Date.now() / 1000) : 1));
  return Array.from({ length: LONG ? Number(LQ_SEEDS ?? long) : quick }, (_, i) => first + i);
}

/** @param ended the result of a seed; its `counts` are null if it failed */
function keep(ended: {
  readonly title: string;
  readonly seed: number;
  readonly counts: Counts | null;
}): void {
  if (!LONG) return;
  mkdirSync(`${HOME}cache`, { recursive: true });
  appendFileSync(`${HOME}cache/torture.jsonl`, `${JSON.stringify({ ...ended, at: Date.now() })}\n`);
}
