import { expect, it } from "vitest";
import { paperOrder } from "../../tasks/study/tables/paper-order.ts";
import { renderMarkdown } from "../../tasks/study/tables/markdown.ts";
import type { ScoreTable } from "../../tasks/study/tables/table.ts";

/** A table of one metric and one column. Each row has our value (fraction) and the paper's (percent). */
function table(rows: readonly (readonly [ours: number | null, paper: number | null])[]): ScoreTable {
  return {
    title: "Table",
    caption: "",
    metrics: ["Dice"],
    columns: ["BTCV"],
    notes: [],
    rows: rows.map(([ours, paper], i) => ({
      name: `row ${i}`,
      cells: [
        [
          ours === null
            ? { kind: "not-converged", step: "pre-training" }
            : { kind: "score", mean: ours, std: 0 },
        ],
      ],
      paper: [[paper === null ? null : [paper, 1]]],
    })),
  };
}

it("says that the paper's order shows, also where all values are lower", () => {
  const note = paperOrder(table([[0.1, 80], [0.2, 85], [0.3, 90]])); // prettier-ignore
  expect(note).toContain("The paper's order of rows shows here.");
  expect(note).toContain("Dice: BTCV 1.00");
});

it("says in the rendered table that the paper's order does not show", () => {
  const other = table([[0.3, 80], [0.2, 85], [0.1, 90], [null, 95], [0.9, null]]); // prettier-ignore
  expect(renderMarkdown(other)).toContain(
    "The paper's order of rows does not show here. Rank correlation (Spearman) with the paper's column, Dice: BTCV -1.00",
  );
});

it("gives no note without the paper's numbers", () => {
  expect(paperOrder(table([[0.3, null], [0.2, null], [0.1, null]]))).toBeNull(); // prettier-ignore
});
