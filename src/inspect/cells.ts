/**
 * The provenance of a table's cells, as a task module writes it beside the table: for `tables/x.md` (and .csv, .html …
 * of the same name) the output `tables/x.cells.json` of the same task.
 *
 *     { "version": 1, "cells": [
 *         { "names": ["STU B", "AMOS", "Dice"], "value": "89.4 ± 1.7",
 *           "inputs": [{ "role": "evaluations", "name": "amos/stu-b.json" }] } ] }
 *
 * `names` say which cell it is, row, column and whatever else; `inputs` are what it was made from: a role of the
 * rule's `in`, and in a directory the file's name. Paths are not written, for a task's outputs depend on contents only.
 */
import { posix } from "node:path";
import * as z from "zod/mini";
import { UserError } from "../errors.ts";
import { nearest } from "../load/suggest.ts";
import type { Task } from "../model.ts";

const Cell = z.object({
  names: z.readonly(z.array(z.string())),
  value: z.string(),
  inputs: z.readonly(z.array(z.object({ role: z.string(), name: z.optional(z.string()) }))),
});
const Cells = z.object({ version: z.literal(1), cells: z.array(Cell) });

export type Cell = z.infer<typeof Cell>;

/** The output of the task that says where the cells of another output came from; undefined if there is none. */
export function cellsOutput(task: Task, target: string): string | undefined {
  const stem = (path: string) => path.slice(0, path.length - posix.extname(path).length);
  return task.outputs.map(({ path }) => path).find((path) => path === `${stem(target)}.cells.json`);
}

/** @throws UserError naming the file */
export function parseCells(file: string, text: string): readonly Cell[] {
  const { data } = Cells.safeParse(jsonOrNull(text));
  if (data !== undefined) return data.cells;
  throw new UserError({
    message: `${file} is not what lq trace reads`,
    hint: 'docs/reference.md, "Provenance of cells", says what a task module has to write there',
  });
}

/** The one cell that has all of the names, in any order and case. @throws UserError if there is none, or several */
export function findCell(cells: readonly Cell[], names: readonly string[]): Cell {
  const wanted = names.map((name) => name.toLowerCase());
  const fits = (cell: Cell) => {
    const own = cell.names.map((name) => name.toLowerCase());
    return wanted.every((name) => own.includes(name));
  };
  const found = cells.filter(fits);
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  if (one !== undefined)
    throw new UserError({
      message: `${found.length} cells are named ${quoted(names)}`,
      hint: `say which: ${found
        .slice(0, 4)
        .map((cell) => quoted(cell.names))
        .join(" or ")}`,
    });
  const known = [...new Set(cells.flatMap((cell) => cell.names))];
  const strange = names.find((name) => !known.some((each) => each.toLowerCase() === name.toLowerCase()));
  const near = strange === undefined ? undefined : nearest(strange, known);
  throw new UserError({
    message: `no cell is named ${quoted(names)}`,
    hint: near === undefined ? `there are ${quoted(known.slice(0, 20))}` : `did you mean "${near}"?`,
  });
}

/** The project paths that a cell was made from. */
export function cellPaths(task: Task, cell: Cell): readonly string[] {
  return cell.inputs.flatMap(({ role, name }) =>
    task.inputs
      .filter((input) => input.role === role)
      .map(({ path }) => (name === undefined ? path : path + name)),
  );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
