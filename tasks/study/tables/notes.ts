/** The sentences below a table. */
import { paperOrder } from "./paper-order.ts";
import type { ScoreTable } from "./table.ts";

/** First the notes that follow from the table's contents, then the table's own. The key of the quintiles is not in it. */
export function allNotes(table: ScoreTable): string[] {
  const cells = table.rows.flatMap((row) => row.cells.flat());
  const notConverged = cells.some((cell) => cell.kind === "not-converged");
  const order = paperOrder(table);
  return [
    "Mean ± standard deviation over cases, in percent: the mean over organs, and the root mean square of the organs' deviations.",
    ...(notConverged ? ["✗: the training did not converge."] : []),
    ...(order === null ? [] : [order]),
    ...table.notes,
  ];
}
