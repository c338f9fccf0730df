/** Pairs label quality with the performance of a network trained on those labels, for Figure 2 and the correlations. */
import type { Aggregation } from "../metrics/aggregate.ts";
import { cellOf, evaluationCell, type Metric } from "./cells.ts";
import { commonOrgans, type Evaluation, type GeneratorScores } from "./results.ts";

export interface QualityPair {
  readonly version: string;
  /** Label quality as a fraction of 1; the original labels have 1 by definition. */
  readonly quality: number;
  /** The network's score on original labels, as a fraction of 1. */
  readonly performance: number;
  /** Standard deviations over cases of both, as fractions of 1; of the quality of the original labels 0. */
  readonly spread: { readonly quality: number; readonly performance: number };
}

/**
 * One pair for each version whose training converged. Quality counts the common organs (eq. 3). With `inDomain`
 * performance counts the same organs, else all evaluated ones. `originals` adds the pair of the original labels.
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
    const spread = { quality: quality?.std ?? 0, performance: reached.std };
    return [{ version, quality: quality?.mean ?? 1, performance: reached.mean, spread }];
  });
}
