/** Compares the rows of a table with one of them, case by case. */
import type { Bootstrap } from "../stats/bootstrap.ts";
import { pairedDifference, type PairedDifference } from "../stats/paired.ts";
import { holm } from "../stats/wilcoxon.ts";
import type { Metric } from "./cells.ts";
import type { CaseScores } from "./results.ts";

export interface Comparison extends PairedDifference {
  readonly row: string;
  /** p after Holm's correction for the compared rows of this column and metric. */
  readonly corrected: number | null;
}

/**
 * The differences between each row's cases and those of the row `against`, paired by case. A case counts with its mean
 * difference over the `organs` that have a score in both rows. A row without common cases is left out.
 */
export function compareRows(
  rows: ReadonlyMap<string, readonly CaseScores[]>,
  against: string,
  options: { readonly organs: readonly string[]; readonly metric: Metric; readonly bootstrap: Bootstrap },
): Comparison[] {
  const reference = new Map(rows.get(against)?.map((each) => [each.case, each]));
  const found = [...rows].flatMap(([row, cases]) => {
    if (row === against) return [];
    const differences = cases.flatMap((each) => caseDifference(each, reference.get(each.case), options));
    const difference = pairedDifference(differences, options.bootstrap);
    return difference ? [{ row, ...difference }] : [];
  });
  const corrected = holm(found.map(({ p }) => p));
  return found.map((each, i) => ({ ...each, corrected: corrected[i] ?? null }));
}

/** The case's mean difference; an empty list if no organ has a score in both rows. */
function caseDifference(
  ours: CaseScores,
  theirs: CaseScores | undefined,
  { organs, metric }: { readonly organs: readonly string[]; readonly metric: Metric },
): number[] {
  const differences = organs.flatMap((organ) => {
    const [a, b] = [ours.organs[organ]?.[metric], theirs?.organs[organ]?.[metric]];
    return a == null || b == null ? [] : [a - b];
  });
  return differences.length === 0 ? [] : [differences.reduce((a, b) => a + b, 0) / differences.length];
}
