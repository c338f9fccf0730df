/** Finds the tables and figures of the project: those that `show:` names, or those among the outputs of `default:`. */
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import * as z from "zod/mini";
import { cellsOutput, parseCells, type Cell } from "../../inspect/cells.ts";
import type { Task } from "../../model/model.ts";
import { absolute } from "../../model/paths.ts";
import type { Inspection } from "../inspect-project.ts";
import type { CellView, FigureView, ResultsView, TableView } from "../messages.ts";
import { fileKind } from "./file-kind.ts";

const TABLE = /\.(md|csv|tsv|html?|tex)$/i;
/** The page shows a table without cells in the first of these forms that it has. */
const FORMS = [".md", ".csv", ".tsv", ".html", ".htm", ".tex"];

interface Output {
  readonly path: string;
  readonly task: Task;
}

export function hasResults(inspection: Inspection): boolean {
  return tableGroups(inspection).length + figureOutputs(inspection).length > 0;
}

export function resultsView(inspection: Inspection): ResultsView {
  const tables = tableGroups(inspection).map((group) => tableView(inspection, group));
  const figures = figureOutputs(inspection).map(({ path, task }): FigureView => {
    return { path, task: task.id, state: inspection.stateOf(task.id) };
  });
  const synthetic = tables.some((table) => table.synthetic);
  return { synthetic, tables, figures };
}

/** The cells of a table that its task wrote; null if there are none, or if they cannot be read. */
export function cellsOf(
  { root }: Inspection,
  { path, task }: Output,
): { readonly file: string; readonly cells: readonly Cell[]; readonly head: CellsHead } | null {
  const file = cellsOutput(task, path);
  if (file === undefined || !existsSync(absolute(root, file))) return null;
  try {
    const text = readFileSync(absolute(root, file), "utf8");
    return { file, cells: parseCells(file, text), head: CellsHead.parse(JSON.parse(text)) };
  } catch {
    return null;
  }
}

const CellsHead = z.object({ title: z.optional(z.string()), data: z.optional(z.string()) });
type CellsHead = z.infer<typeof CellsHead>;

/** Groups outputs of one task that differ only in the ending of their names: they are one table in several forms. */
function tableGroups(inspection: Inspection): readonly (readonly Output[])[] {
  const wanted = outputsOf(inspection, inspection.project.pipeline.show.tables).filter(({ path }) =>
    TABLE.test(path),
  );
  const groups = new Map<string, Output[]>();
  for (const output of wanted) {
    const stem = output.path.slice(0, -posix.extname(output.path).length);
    const own = groups.get(stem);
    if (own === undefined) groups.set(stem, [output]);
    else own.push(output);
  }
  return [...groups.values()];
}

function figureOutputs(inspection: Inspection): readonly Output[] {
  return outputsOf(inspection, inspection.project.pipeline.show.figures).filter(
    ({ path }) => fileKind(path) === "picture",
  );
}

/** @param targets targets of `show:`; null: the pipeline's default */
function outputsOf({ session, plan, project }: Inspection, targets: readonly string[] | null) {
  const names = targets ?? project.pipeline.default.map(({ text }) => text);
  const stems = new Set(names.map(stemOf));
  const folders = names.filter((name) => name.endsWith("/"));
  const isWanted = (path: string): boolean =>
    names.length === 0 || stems.has(stemOf(path)) || folders.some((folder) => path.startsWith(folder));
  return session.graph.tasks
    .filter((task) => plan.selected.tasks.has(task))
    .flatMap((task) =>
      task.outputs.flatMap(({ path }): Output[] => (isWanted(path) ? [{ path, task }] : [])),
    );
}

function stemOf(path: string): string {
  return path.slice(0, path.length - posix.extname(path).length);
}

function tableView(inspection: Inspection, outputs: readonly Output[]): TableView {
  const [first] = outputs;
  const { task } = first!;
  const path = FORMS.flatMap((form) => outputs.find((each) => each.path.endsWith(form)) ?? [])[0]!.path;
  const found = cellsOf(inspection, { path, task });
  const cells = found?.cells ?? [];
  const place = (cell: Cell): readonly [string, string, string] => {
    const [row = "", column = "", metric = ""] = cell.names;
    return [row, column, metric];
  };
  const distinct = (which: 0 | 1 | 2): string[] => [...new Set(cells.map((cell) => place(cell)[which]))];
  return {
    path,
    title: found?.head.title ?? posix.basename(path),
    task: task.id,
    state: inspection.stateOf(task.id),
    synthetic: (found?.head.data ?? "real") !== "real",
    rows: distinct(0),
    columns: distinct(1),
    metrics: distinct(2),
    cells: cells.map((cell): CellView => {
      const [row, column, metric] = place(cell);
      const { mean = null, std = null, paper = null, quintile = null } = cell.values;
      return { row, column, metric, mean, std, paper, quintile, note: cell.names[3] ?? "" };
    }),
    downloads: outputs.map((each) => each.path),
  };
}
