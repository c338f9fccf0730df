/** Whether a built table puts its rows in the order in which the paper's own numbers put them. */
import { spearman } from "../stats/correlation.ts";
import type { ScoreTable } from "./table.ts";

/** From this rank correlation on, in every column, the paper's order is said to show. */
const SHOWS = 0.8;

/**
 * Spearman's rank correlation, over the rows that both have, of each column with the paper's, and what follows of
 * it; null for a table without the paper's numbers beside it.
 */
export function paperOrder({ metrics, columns, rows }: ScoreTable): string | null {
  const lines = metrics.map((name, metric) => ({
    name,
    values: columns.map((_, column) => {
      const pairs = rows.flatMap(({ cells, paper }) => {
        const ours = cells[metric]?.[column];
        const theirs = paper?.[metric]?.[column];
        return ours?.kind === "score" && theirs ? [{ x: ours.mean, y: theirs[0] }] : [];
      });
      return pairs.length < 3 ? null : spearman(pairs);
    }),
  }));
  const values = lines.flatMap((line) => line.values);
  if (values.every((value) => value === null)) return null;
  const shows = values.every((value) => value !== null && value >= SHOWS);
  const texts = lines.map(({ name, values }) => {
    const list = values.map((value, i) => `${columns[i] ?? ""} ${value?.toFixed(2) ?? "–"}`);
    return `${name}: ${list.join(", ")}`;
  });
  return (
    `The paper's order of rows ${shows ? "shows" : "does not show"} here. ` +
    `Rank correlation (Spearman) with the paper's column, ${texts.join("; ")}; it shows from ${SHOWS} in every column.`
  );
}
