/**
 * Quintile classes of a column of a table: 1 (worst fifth) to 5 (best fifth).
 *
 * The paper colours cells by quintile "separately per column and per metric" without giving the rule; ours:
 * linear-interpolation quantiles at 0.2, 0.4, 0.6, 0.8 of the values that exist; class = 1 + the number of edges
 * strictly below the value. A null (not converged, not evaluated) has no class and does not count.
 */
import { quantile } from "./quantile.ts";

/** The class of each value, in their order. */
export function quintiles(values: readonly (number | null)[]): (number | null)[] {
  const sorted = values.filter((v): v is number => v !== null).sort((a, b) => a - b);
  const edges = [0.2, 0.4, 0.6, 0.8].map((p) => quantile(sorted, p));
  return values.map((v) => (v === null ? null : 1 + edges.filter((edge) => edge < v).length));
}
