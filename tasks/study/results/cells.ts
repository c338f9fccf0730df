/** Turns scored cases into the cells of a table: equations 2 and 4 of the paper, for each metric. */
import { aggregate, type Aggregation } from "../metrics/aggregate.ts";
import type { Cell } from "../tables/table.ts";
import type { CaseScores, Evaluation } from "./results.ts";

export const METRICS = [
  { key: "dice", name: "Dice" },
  { key: "surface_dice", name: "Surface Dice" },
] as const;

export type Metric = (typeof METRICS)[number]["key"];

/** The mean over organs of their means over cases, and the root mean square of the organs' deviations. */
export function cellOf(
  cases: readonly CaseScores[],
  organs: readonly string[],
  metric: Metric,
  settings: Aggregation,
): Cell {
  const scores = organs.map((organ) => cases.map((c) => c.organs[organ]?.[metric] ?? null));
  const { mean, std } = aggregate(scores, settings);
  return Number.isFinite(mean) ? { kind: "score", mean, std } : { kind: "absent" };
}

/** A network's cell: its score over `organs` (null: all evaluated ones), or the training that did not converge. */
export function evaluationCell(
  evaluation: Evaluation | undefined,
  organs: readonly string[] | null,
  metric: Metric,
  settings: Aggregation,
): Cell {
  if (evaluation === undefined) return { kind: "absent" };
  if (!evaluation.converged) return { kind: "not-converged", step: evaluation.step ?? "pre-training" };
  return cellOf(evaluation.cases, organs ?? allOrgans(evaluation.cases), metric, settings);
}

/** The organs that any case has scores of, in the order of their first appearance. */
export function allOrgans(cases: readonly CaseScores[]): string[] {
  return [...new Set(cases.flatMap((c) => Object.keys(c.organs)))];
}
