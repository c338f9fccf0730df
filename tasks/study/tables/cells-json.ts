/**
 * `tables/….cells.json`: the files that each cell of a table was computed from, for programs.
 *
 *     { "format": 1, "title": …, "data": "synthetic", "cells": [
 *       { "row": "STU B", "column": "AMOS", "metric": "Dice", "state": "scored", "mean": 0.91, "std": 0.02,
 *         "from": [{ "input": "evaluations", "file": "amos/stu-b.json" }] } ] }
 *
 * `data` is "synthetic" if all numbers come from phantoms, "mixed" if some do, otherwise "real". `row`, `column` and `metric` are the words
 * of the table. `mean` and `std` are fractions of 1, and null unless `state` is "scored". `from` names each file by an
 * input of the table's task and by its name below that input, because a task does not know where in the project its
 * inputs lie. The list has no empty cells.
 */
import { tableData } from "./synthetic.ts";
import { cellState, type ScoreTable } from "./table.ts";

/** The text of the file, with one line for each cell. */
export function renderCells(table: ScoreTable): string {
  const { title, metrics, columns, rows } = table;
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
  const head = JSON.stringify({ format: 1, title, data: tableData(table) }).slice(0, -1);
  return `${head},"cells":[\n${cells.map((cell) => JSON.stringify(cell)).join(",\n")}\n]}\n`;
}
