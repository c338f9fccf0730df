import { isSynthetic } from "./synthetic.ts";
import { cellState, classes, type ScoreTable } from "./table.ts";

/** One line for each cell, in full precision (fractions of 1), for further analysis. */
export function renderCsv(table: ScoreTable): string {
  const marks = classes(table);
  const lines = ["row,metric,column,mean,std,quintile,state,data"];
  table.rows.forEach((row, r) => {
    table.metrics.forEach((metric, m) => {
      table.columns.forEach((column, c) => {
        const cell = row.cells[m]?.[c];
        if (cell === undefined || cell.kind === "absent") return;
        const data = isSynthetic(row, c) ? "synthetic" : "real";
        const numbers =
          cell.kind === "score" ? [cell.mean, cell.std, marks[r]?.[m]?.[c] ?? ""] : ["", "", ""];
        lines.push(
          [row.name, metric, column, ...numbers, cellState(cell), data]
            .map((v) => quote(String(v)))
            .join(","),
        );
      });
    });
  });
  return lines.join("\n") + "\n";
}

/** Quotes by RFC 4180. A leading `=`, `+` or `@` gets an apostrophe before it, so that no spreadsheet runs it as a formula. */
export function quote(value: string): string {
  const safe = /^[=+@]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
