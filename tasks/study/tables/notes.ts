/** The sentences below a table. */
import { paperOrder } from "./paper-order.ts";
import type { ScoreTable } from "./table.ts";

/** First the notes that follow from the table's contents, then the table's own. */
export function allNotes(table: ScoreTable): string[] {
  const cells = table.rows.flatMap((row) => row.cells.flat());
  const notConverged = cells.some((cell) => cell.kind === "not-converged");
  const order = paperOrder(table);
  return [
    "Mean ± standard deviation, in percent.",
    "Quintile of each column and metric: ① worst fifth … ⑤ best fifth.",
    ...(notConverged ? ["✗: training did not converge (see the notes below for the criterion)."] : []),
    ...(order === null ? [] : [order]),
    ...table.notes,
  ];
}
