/** Defines the outcomes of tasks in a build, and counts of them. */

/** In the order in which they are printed. */
export const OUTCOMES = ["ran", "restored", "accepted", "fresh", "failed", "skipped", "cancelled"] as const;

export type Outcome = (typeof OUTCOMES)[number];

export type Counts = { readonly [outcome in Outcome]: number };

export function noCounts(): { [outcome in Outcome]: number } {
  return { ran: 0, restored: 0, accepted: 0, fresh: 0, failed: 0, skipped: 0, cancelled: 0 };
}

export function countOutcomes(tasks: Iterable<{ readonly outcome: Outcome }>): Counts {
  const counts = noCounts();
  for (const { outcome } of tasks) counts[outcome] += 1;
  return counts;
}

/** Only the counts of an object that may hold more, as JSON shows them. */
export function countsOf(counts: Counts): Counts {
  const { ran, restored, accepted, fresh, failed, skipped, cancelled } = counts;
  return { ran, restored, accepted, fresh, failed, skipped, cancelled };
}

export function totalOf(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/**
 * "3 ran, 12 restored"; "" where all counts are 0.
 * @param phrase the text for one count; by default "3 ran"
 */
export function countsText(
  counts: Counts,
  phrase: (count: number, outcome: Outcome) => string = (count, outcome) => `${count} ${outcome}`,
): string {
  return OUTCOMES.filter((outcome) => counts[outcome] > 0)
    .map((outcome) => phrase(counts[outcome], outcome))
    .join(", ");
}
