/**
 * Harnesses run twice: quick and with a fixed seed among the tests, and at length by `npm run torture`, with a
 * seed of the day that is printed and that LQ_SEED sets.
 */
const LONG = process.env["LQ_TORTURE"] !== undefined;

/** Seeds to run a harness with: the first of many, or all of them from a seed of the day on. */
export function seeds(quick: number, long: number): readonly number[] {
  const first = Number(process.env["LQ_SEED"] ?? (LONG ? Math.floor(Date.now() / 1000) : 1));
  if (LONG) console.log(`seeds ${first} to ${first + long - 1}; one of them again: LQ_TORTURE=1 LQ_SEED=…`);
  return Array.from({ length: LONG ? long : quick }, (_, i) => first + i);
}

/** Rounds of one seed. */
export function rounds(quick: number, long: number): number {
  return LONG ? long : quick;
}

/** Milliseconds, for as many rounds as there are. */
export const TIMEOUT = LONG ? 3_600_000 : 60_000;
