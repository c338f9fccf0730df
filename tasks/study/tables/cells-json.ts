/**
 * Where each cell of a table came from, for machines: `tables/….cells.json`.
 *
 *     { "format": 1, "title": …, "data": "synthetic", "cells": [
 *       { "row": "STU B", "column": "AMOS", "metric": "Dice", "state": "scored", "mean": 0.91, "std": 0.02,
 *         "from": [{ "input": "evaluations", "file": "amos/stu-b.json" }] } ] }
 *
 * `data` is "real" where no number comes from phantoms. `row`, `column` and `metric` are the words of the table, `mean`
 * and `std` fractions of 1 (null unless scored). `from` names files by the input of the table's task and, below it, by
 * name: a task does not know where in the project its inputs lie. A cell that has nothing to show is not listed.
 */
import { cellState, type ScoreTable } from "./table.ts";

/** The text of the file; a cell a line. */
export function renderCells({ title, synthetic, metrics, columns, rows }: ScoreTable): string {
  const cells = rows.flatMap((row) =>
    metrics.flatMap((metric, m) =>
      columns.flatMap((column, c) => {
        const cell = row.cells[m]?.[c];
        if (cell === undefined || cell.kind === "absent") return [];
        const { mean, std } = cell.kind === "score" ? cell : { mean: null, std: null };
        const from = row.from?.[c] ?? [];
        return [{ row: row.name, column, metric, state: cellState(cell), mean, std, from }];
      }),
    ),
  );
  const head = JSON.stringify({ format: 1, title, data: synthetic ? "synthetic" : "real" }).slice(0, -1);
  return `${head},"cells":[\n${cells.map((cell) => JSON.stringify(cell)).join(",\n")}\n]}\n`;
}
