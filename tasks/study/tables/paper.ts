/** The paper's own numbers: Table 1 (`quality`), Table 2 (`segthor`) and Table 3 (`flare`). */
import type { Cell, ScoreTable } from "./table.ts";
import paper from "./paper.json" with { type: "json" };

type Value = readonly [number, number] | null;
interface Rows {
  readonly [row: string]: { readonly dice: readonly Value[]; readonly surface_dice: readonly Value[] };
}

const TABLES: { readonly [table: string]: Rows } = {
  quality: paper.quality as unknown as Rows,
  segthor: paper.segthor as unknown as Rows,
  flare: paper.flare as unknown as Rows,
};

/** values[metric][column] of a row, for the given dataset keys; undefined if the paper has no such table, row or column. */
export function paperRow(table: string, row: string, columns: readonly string[]): Value[][] | undefined {
  const values = TABLES[table]?.[row];
  const at = columns.map((column) => paper.columns.indexOf(column));
  if (values === undefined || at.includes(-1)) return undefined;
  return [values.dice, values.surface_dice].map((line) => at.map((i) => line[i] ?? null));
}

export type PaperTable = "quality" | "segthor" | "flare";

export const PAPER_TABLES: readonly PaperTable[] = ["quality", "segthor", "flare"];

/** One of the paper's tables, in the form that our renderers take. */
export function paperTable(table: PaperTable): ScoreTable {
  return {
    title: TITLES[table],
    caption: CAPTIONS[table],
    metrics: ["Dice", "Surface Dice"],
    columns: ["BTCV", "WORD", "AMOS", "CT-1K", "AbdomenAtlas"],
    rows: Object.entries(TABLES[table] ?? {}).map(([row, values]) => ({
      name: NAMES[row] ?? row,
      cells: [values.dice, values.surface_dice].map((line) =>
        line.map((value, column) => cellOf(value, row, column)),
      ),
    })),
    notes: [
      "Source: “Good Enough: Is it Worth Improving your Label Quality?” (arXiv 2505.20928v1).",
      "The paper gives no rule for its quintiles. These are computed by lq: the edges by linear interpolation, the quintile as 1 + the number of edges below the value.",
      ...(table === "quality" ? [] : ["The paper gives no criterion for convergence."]),
    ],
  };
}

/** The paper leaves a cell blank on both targets where pre-training did not converge, on one where fine-tuning did not. */
function cellOf(value: Value, row: string, column: number): Cell {
  if (value !== null) return { kind: "score", mean: value[0] / 100, std: value[1] / 100 };
  const onBoth = [TABLES.segthor, TABLES.flare].every((rows) => rows?.[row]?.dice[column] === null);
  return { kind: "not-converged", step: onBoth ? "pre-training" : "fine-tuning" };
}

const TITLES = {
  quality: "Label quality of the pseudo-labels, as printed in the paper's Table 1",
  segthor: "Scores after fine-tuning on SegTHOR, as printed in the paper's Table 2",
  flare: "Scores after fine-tuning on FLARE, as printed in the paper's Table 3",
} as const;

const FINE_TUNED = "Columns: the dataset of the pre-training. Rows: the labels of the pre-training.";

const CAPTIONS = {
  quality: "Columns: the dataset. Rows: the generator of the pseudo-labels.",
  segthor: FINE_TUNED,
  flare: FINE_TUNED,
} as const;

const NAMES: { readonly [row: string]: string } = {
  none: "no pretrain",
  nnunet: "nnU-Net",
  medsam: "MedSAM",
  totalseg: "TotalS",
  "stu-s": "STU S",
  "stu-b": "STU B",
  "stu-l": "STU L",
  "stu-h": "STU H",
};
