/**
 * Reads the provenance of a table's cells. A task module writes it beside the table: for `tables/x.md` (and .csv, .html
 * … of the same name) in the output `tables/x.cells.json` of the same task.
 *
 *     { "format": 1, "cells": [
 *         { "row": "STU B", "column": "AMOS", "metric": "Dice", "mean": 0.894,
 *           "from": [{ "input": "evaluations", "file": "amos/stu-b.json" }] } ] }
 *
 * The strings of a cell are its names, and its numbers are its values. `from` lists the files that it was made from: an
 * input of the rule and, if this is a directory, the file's name in it.
 */
import { posix } from "node:path";
import * as z from "zod/mini";
import { UserError } from "../model/errors.ts";
import { nearest } from "../load/suggest.ts";
import type { Task } from "../model/model.ts";

const Source = z.object({ input: z.string(), file: z.optional(z.string()) });
const StoredCell = z.catchall(z.object({ from: z.array(Source) }), z.unknown());
const Cells = z.object({ format: z.literal(1), cells: z.array(StoredCell) });

export interface Cell {
  /** Row, column and any other strings of the cell. */
  readonly names: readonly string[];
  readonly values: { readonly [name: string]: number };
  readonly from: readonly z.infer<typeof Source>[];
}

/** The output with the provenance of the cells of `target`; undefined if there is none. */
export function cellsOutput(task: Task, target: string): string | undefined {
  const stem = (path: string) => path.slice(0, path.length - posix.extname(path).length);
  return task.outputs.map(({ path }) => path).find((path) => path === `${stem(target)}.cells.json`);
}

/** @throws UserError that names the file */
export function parseCells(file: string, text: string): readonly Cell[] {
  const { data } = Cells.safeParse(jsonOrNull(text));
  if (data !== undefined) return data.cells.map(cellOf);
  throw new UserError({
    message: `${file} does not have the format that lq trace reads`,
    hint: 'docs/reference/json.md, "Provenance of cells", describes what a task module writes there',
  });
}

function cellOf({ from, ...fields }: z.infer<typeof StoredCell>): Cell {
  const entries = Object.entries(fields);
  return {
    names: entries.flatMap(([, value]) => (typeof value === "string" ? [value] : [])),
    values: Object.fromEntries(
      entries.flatMap(([name, value]) => (typeof value === "number" ? [[name, value]] : [])),
    ),
    from,
  };
}

/** The cell that has all of the names, in any order and case. @throws UserError if there is none or several */
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
      hint: `add a name: ${found
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
  return cell.from.flatMap(({ input, file = "" }) =>
    task.inputs.filter(({ role }) => role === input).map(({ path }) => path + file),
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
