/** Compares the order of a table's rows, by score, with the order that the paper's own numbers give. */
import { spearman } from "../stats/correlation.ts";
import type { ScoreTable } from "./table.ts";

/** The paper's order "shows" if the rank correlation of every column is at least this. */
const SHOWS = 0.8;

/**
 * A note with Spearman's rank correlation of each column with the paper's column, over the rows that both have, and
 * whether the paper's order shows. Null for a table that has none of the paper's numbers.
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
    `Rank correlation (Spearman) with the paper's column, ${texts.join("; ")}; the order shows if every column has at least ${SHOWS}.`
  );
}
