/**
 * A table of scores in the paper's form: one row for each label version, one column for each dataset, and in each row
 * one line for each metric. Values are fractions of 1; renderers print percent with one decimal, as the paper does.
 */
import { quintiles } from "../stats/quintiles.ts";

export type Cell =
  | { readonly kind: "score"; readonly mean: number; readonly std: number }
  /** The training of this step did not converge. */
  | { readonly kind: "not-converged"; readonly step: "pre-training" | "fine-tuning" }
  /** The study has no such combination. */
  | { readonly kind: "absent" };

export interface ScoreTable {
  readonly title: string;
  readonly caption: string;
  readonly metrics: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
}

export interface TableRow {
  readonly name: string;
  /** cells[metric][column]. */
  readonly cells: readonly (readonly Cell[])[];
  /** The paper's printed [mean, std] (percent), where the paper has this row: paper[metric][column]. */
  readonly paper?: readonly (readonly (readonly [number, number] | null)[])[];
  /** Whether the cells of each column come from phantoms: synthetic[column]. None by default. */
  readonly synthetic?: readonly boolean[];
  /** The files that the cells of each column were computed from. */
  readonly from?: readonly (readonly CellSource[])[];
}

/** A file: an input of the table's task, and the file's name below that input. */
export interface CellSource {
  readonly input: string;
  readonly file: string;
}

export const QUINTILE_MARKS = ["①", "②", "③", "④", "⑤"] as const;

/** Quintile of each cell among the rows of its column and metric, 1 (worst) to 5 (best): result[row][metric][column]. */
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

/** "scored", or "not converged in" and the step. */
export function cellState(cell: Exclude<Cell, { kind: "absent" }>): string {
  return cell.kind === "score" ? "scored" : `not converged in ${cell.step}`;
}

/** Percent with one decimal and without the % sign; a dash for a value that is not finite. */
export function percent(fraction: number): string {
  return Number.isFinite(fraction) ? (fraction * 100).toFixed(1) : "–";
}
