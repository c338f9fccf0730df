/**
 * Harnesses run twice: quick and with fixed seeds among the tests, and at length by `npm run torture`, with seeds of
 * the day. How each seed of a long run ended is kept in cache/torture.jsonl, from which scripts/torture.mjs makes
 * bench/TORTURE.md.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { it } from "vitest";
import { HOME } from "../helpers/bundle.ts";

/** Whether this is a long run. */
export const LONG = process.env["LQ_TORTURE"] !== undefined;

/** What was done, in words with their numbers: { kills: 10 }. */
export interface Counts {
  readonly [what: string]: number;
}

/**
 * One test a seed, each of which can be repeated alone (LQ_SEED=1038 LQ_SEEDS=1).
 * @param body does what the title says, with a seed, and counts it
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

/** Rounds of one seed. */
export function rounds(quick: number, long: number): number {
  return LONG ? long : quick;
}

function seedsOf({ quick, long }: { readonly quick: number; readonly long: number }): readonly number[] {
  const { LQ_SEED, LQ_SEEDS } = process.env;
  const first = Number(LQ_SEED ?? (LONG ? Math.floor(Date.now() / 1000) : 1));
  return Array.from({ length: LONG ? Number(LQ_SEEDS ?? long) : quick }, (_, i) => first + i);
}

/** @param ended counts: null for a failure */
function keep(ended: {
  readonly title: string;
  readonly seed: number;
  readonly counts: Counts | null;
}): void {
  if (!LONG) return;
  mkdirSync(`${HOME}cache`, { recursive: true });
  appendFileSync(`${HOME}cache/torture.jsonl`, `${JSON.stringify({ ...ended, at: Date.now() })}\n`);
}
