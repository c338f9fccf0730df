/** Label quality against what a network trained on those labels reaches: the pairs behind Figure 2 and the correlations. */
import type { Aggregation } from "../metrics/aggregate.ts";
import { cellOf, evaluationCell, type Metric } from "./cells.ts";
import { commonOrgans, type Evaluation, type GeneratorScores } from "./results.ts";

export interface QualityPair {
  readonly version: string;
  /** Label quality, fraction of 1; the original labels have 1 by definition. */
  readonly quality: number;
  /** The network's score on original labels, fraction of 1. */
  readonly performance: number;
}

/**
 * One pair a version that was trained and converged. `organs` are those that the performance is taken over;
 * null is all that were evaluated. Quality is always over the common organs (eq. 3).
 */
export function qualityPairs(
  scores: ReadonlyMap<string, GeneratorScores>,
  evaluations: ReadonlyMap<string, Evaluation>,
  options: { metric: Metric; aggregation: Aggregation; inDomain: boolean; originals: boolean },
): QualityPair[] {
  const common = commonOrgans(scores.values());
  return [...evaluations].flatMap(([version, evaluation]) => {
    const scored = scores.get(version);
    if (scored === undefined && !(version === "base" && options.originals)) return [];
    const quality = scored ? cellOf(scored.cases, common, options.metric, options.aggregation) : null;
    const reached = evaluationCell(
      evaluation,
      options.inDomain ? common : null,
      options.metric,
      options.aggregation,
    );
    if (reached.kind !== "score" || (quality !== null && quality.kind !== "score")) return [];
    return [{ version, quality: quality?.mean ?? 1, performance: reached.mean }];
  });
}
