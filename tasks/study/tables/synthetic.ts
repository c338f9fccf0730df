/** Says which numbers come from computer-made phantoms. It goes by the sources of the numbers that a table shows. */
import type { ScoreTable, TableRow } from "./table.ts";

/** A row, a column or a line, by its displayed name, and the cells that it shows. */
export interface Part {
  readonly name: string;
  readonly synthetic: readonly boolean[];
}

export type Data = "synthetic" | "real" | "mixed";

const ALL =
  "Synthetic: every number here comes from computer-made phantoms, none from a patient. It shows that the study runs, not what the paper found.";

/** What the numbers are made from; "real" without numbers. */
export function dataOf(synthetic: readonly boolean[]): Data {
  if (!synthetic.includes(true)) return "real";
  return synthetic.includes(false) ? "mixed" : "synthetic";
}

/** A sentence for the top of a page; null if no number is synthetic. `kind` names the parts: "columns". */
export function syntheticNotice(kind: string, parts: readonly Part[]): string | null {
  const data = dataOf(parts.flatMap(({ synthetic }) => synthetic));
  if (data === "real") return null;
  if (data === "synthetic") return ALL;
  const named = (wanted: Data) =>
    parts.flatMap(({ name, synthetic }) =>
      synthetic.length > 0 && dataOf(synthetic) === wanted ? [name] : [],
    );
  const [whole, partly] = [named("synthetic"), named("mixed")];
  const lists = [
    ...(whole.length > 0 ? [`all numbers of the ${kind} ${whole.join(", ")}`] : []),
    ...(partly.length > 0 ? [`some numbers of the ${kind} ${partly.join(", ")}`] : []),
  ];
  return `Partly synthetic: ${lists.join(" and ")} come from computer-made phantoms, not from patients.`;
}

/** The notice of a table of scores; it names columns, and rows where only some rows of a column are synthetic. */
export function tableNotice({ columns, rows }: ScoreTable): string | null {
  const parts = columns.map((column, c): Part => {
    const shown = rows.filter((row) => isShown(row, c));
    const synthetic = shown.map((row) => isSynthetic(row, c));
    const named = shown.filter((row) => isSynthetic(row, c)).map(({ name }) => name);
    return {
      name: dataOf(synthetic) === "mixed" ? `${column} (rows ${named.join(", ")})` : column,
      synthetic,
    };
  });
  return syntheticNotice("columns", parts);
}

/** What the numbers of a table of scores are made from. */
export function tableData({ columns, rows }: ScoreTable): Data {
  return dataOf(
    rows.flatMap((row) => columns.flatMap((_, c) => (isShown(row, c) ? [isSynthetic(row, c)] : []))),
  );
}

export function isSynthetic(row: TableRow, column: number): boolean {
  return row.synthetic?.[column] ?? false;
}

function isShown(row: TableRow, column: number): boolean {
  return row.cells.some((line) => (line[column]?.kind ?? "absent") !== "absent");
}
