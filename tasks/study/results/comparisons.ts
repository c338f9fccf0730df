/** Every row of a table against one of them, case by case. */
import type { Bootstrap } from "../stats/bootstrap.ts";
import { pairedDifference, type PairedDifference } from "../stats/paired.ts";
import { holm } from "../stats/wilcoxon.ts";
import type { Metric } from "./cells.ts";
import type { CaseScores } from "./results.ts";

export interface Comparison extends PairedDifference {
  readonly row: string;
  /** p, corrected by Holm for the rows of this column and metric that are compared. */
  readonly corrected: number | null;
}

/**
 * Differences of each row's cases from those of the row `against`, paired by case; a case counts with the mean over
 * those of `organs` whose score is defined in both. A row without cases in common with it is left out.
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

/** None if no organ is scored in both. */
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
