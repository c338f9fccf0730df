/** Divides tasks that wait into packs, each for one job. */

export interface Packable {
  /** Expected; null: no task of its rule has run yet. */
  readonly seconds: number | null;
}

export interface PackLimits {
  /** Seconds that the tasks of a pack may take together; 0: one task in each. */
  readonly pack: number;
  /** How many jobs can run at once. */
  readonly places: number;
  /** The largest number of tasks of a pack. */
  readonly most: number;
  /** How many tasks of unknown duration may be submitted. */
  readonly unknown: number;
}

/** A pack is short enough that each place gets so many: then the places end at about the same time. */
const PACKS_A_PLACE = 3;

/**
 * @param waiting of one rule with equal requests, the most urgent first
 * @returns packs in the same order; tasks that have to wait until a duration is known are in none
 */
export function packsOf<T extends Packable>(
  waiting: readonly T[],
  limits: PackLimits,
): readonly (readonly T[])[] {
  const known = waiting.filter(({ seconds }) => seconds !== null);
  const unknown = waiting.filter(({ seconds }) => seconds === null).slice(0, limits.unknown);
  const total = known.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const longest = Math.min(limits.pack, total / (PACKS_A_PLACE * limits.places));
  const packs: T[][] = [];
  let left = 0;
  for (const each of known) {
    const seconds = each.seconds ?? 0;
    const last = packs.at(-1);
    // Half of a task more or less keeps the sums nearest to the aim.
    if (last === undefined || limits.pack === 0 || left < seconds / 2 || last.length >= limits.most) {
      packs.push([each]);
      left = longest - seconds;
    } else {
      last.push(each);
      left -= seconds;
    }
  }
  return [...packs, ...unknown.map((each) => [each])];
}
