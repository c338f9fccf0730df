/**
 * Quintile classes of a table's column: 1 (worst fifth) to 5 (best fifth).
 *
 * The paper colours cells by quintile "separately per column and per metric" and does not give the rule. Our rule: the
 * edges are the quantiles 0.2, 0.4, 0.6 and 0.8 of the existing values, interpolated linearly; a value's class is 1
 * plus the number of edges below it. A null (not converged, not evaluated) has no class and does not count.
 */
import { quantile } from "./quantile.ts";

/** The class of each value, in the order of the values. */
export function quintiles(values: readonly (number | null)[]): (number | null)[] {
  const sorted = values.filter((v): v is number => v !== null).sort((a, b) => a - b);
  const edges = [0.2, 0.4, 0.6, 0.8].map((p) => quantile(sorted, p));
  return values.map((v) => (v === null ? null : 1 + edges.filter((edge) => edge < v).length));
}
