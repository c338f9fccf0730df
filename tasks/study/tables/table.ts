/**
 * A table of scores in the paper's shape: a row a label version, a column a dataset, a line a metric in each cell
 * block. Values are fractions of 1; renderers print them ×100 with one decimal, as the paper does.
 */
import { quintiles } from "../stats/quintiles.ts";
import { paperOrder } from "./paper-order.ts";

export type Cell =
  | { readonly kind: "score"; readonly mean: number; readonly std: number }
  /** Training did not converge: at which step. */
  | { readonly kind: "not-converged"; readonly step: "pre-training" | "fine-tuning" }
  /** Nothing to show: not part of the study. */
  | { readonly kind: "absent" };

export interface ScoreTable {
  readonly title: string;
  readonly caption: string;
  /** True when any number comes from phantoms: every rendering then says so. */
  readonly synthetic: boolean;
  readonly metrics: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** Statements printed below the table. */
  readonly notes: readonly string[];
}

export interface TableRow {
  readonly name: string;
  /** cells[metric][column]. */
  readonly cells: readonly (readonly Cell[])[];
  /** The paper's printed values (percent), where it has this row: paper[metric][column]. */
  readonly paper?: readonly (readonly (readonly [number, number] | null)[])[];
  /** The files that the cells of each column were computed from. */
  readonly from?: readonly (readonly CellSource[])[];
}

/** A file by the task's input that it belongs to and its name below that. */
export interface CellSource {
  readonly input: string;
  readonly file: string;
}

export const SYNTHETIC_NOTICE =
  "Synthetic: every number here comes from computer-made phantoms, none from a patient. It shows that the study runs, not what the paper found.";

export const QUINTILE_MARKS = ["①", "②", "③", "④", "⑤"] as const;

/** Class 1 (worst fifth) … 5 (best fifth) of each cell: result[row][metric][column]; per column and metric. */
export function classes(table: ScoreTable): (number | null)[][][] {
  const result: (number | null)[][][] = table.rows.map((row) =>
    row.cells.map((line) => line.map(() => null)),
  );
  table.metrics.forEach((_, metric) => {
    table.columns.forEach((_, column) => {
      const means = table.rows.map((row) => {
        const cell = row.cells[metric]?.[column];
        return cell?.kind === "score" && Number.isFinite(cell.mean) ? cell.mean : null;
      });
      quintiles(means).forEach((value, row) => {
        const line = result[row]?.[metric];
        if (line) line[column] = value;
      });
    });
  });
  return result;
}

/** "87.4 ± 2.0", "✗" (not converged) or "" (absent). */
export function cellText(cell: Cell | undefined): string {
  if (cell === undefined || cell.kind === "absent") return "";
  if (cell.kind === "not-converged") return "✗";
  return `${percent(cell.mean)} ± ${percent(cell.std)}`;
}

/** "scored", or in which training it did not converge. */
export function cellState(cell: Exclude<Cell, { kind: "absent" }>): string {
  return cell.kind === "score" ? "scored" : `not converged in ${cell.step}`;
}

/** With one decimal and without the sign; a dash where it is not finite. */
export function percent(fraction: number): string {
  return Number.isFinite(fraction) ? (fraction * 100).toFixed(1) : "–";
}

/** Notes that follow from the table itself, then its own. */
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
