/**
 * `tables/….cells.json`: the files that each cell of a table was computed from, for programs.
 *
 *     { "format": 1, "title": …, "data": "synthetic", "cells": [
 *       { "row": "STU B", "column": "AMOS", "metric": "Dice", "state": "scored", "mean": 0.91, "std": 0.02,
 *         "quintile": 4, "paper": 0.89, "from": [{ "input": "evaluations", "file": "amos/stu-b.json" }] } ] }
 *
 * `data` is "synthetic" if all numbers come from phantoms, "mixed" if some do, otherwise "real". `row`, `column` and
 * `metric` are the words of the table. `mean` and `std` are fractions of 1, and null unless `state` is "scored".
 * `quintile` is 1 (worst fifth) to 5. `paper` is the mean that the paper prints, where there is one. `from` names each
 * file by an input of the table's task and by its name below that input, because a task does not know where in the
 * project its inputs lie. The list has no empty cells.
 */
import { tableData } from "./synthetic.ts";
import { cellState, classes, type ScoreTable } from "./table.ts";

/** The text of the file, with one line for each cell. */
export function renderCells(table: ScoreTable): string {
  const { title, metrics, columns, rows } = table;
  const quintiles = classes(table);
  const cells = rows.flatMap((row, r) =>
    metrics.flatMap((metric, m) =>
      columns.flatMap((column, c) => {
        const cell = row.cells[m]?.[c];
        if (cell === undefined || cell.kind === "absent") return [];
        const { mean, std } = cell.kind === "score" ? cell : { mean: null, std: null };
        const from = row.from?.[c] ?? [];
        const quintile = quintiles[r]?.[m]?.[c] ?? null;
        const percent = row.paper?.[m]?.[c]?.[0];
        const paper = percent === undefined ? null : percent / 100;
        return [
          { ...{ row: row.name, column, metric, state: cellState(cell), mean, std }, quintile, paper, from },
        ];
      }),
    ),
  );
  const head = JSON.stringify({ format: 1, title, data: tableData(table) }).slice(0, -1);
  return `${head},"cells":[\n${cells.map((cell) => JSON.stringify(cell)).join(",\n")}\n]}\n`;
}
