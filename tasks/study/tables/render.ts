/** The file formats of a score table, by file ending. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { renderCells } from "./cells-json.ts";
import { renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";
import { renderLatex } from "./latex.ts";
import { renderMarkdown } from "./markdown.ts";
import type { ScoreTable } from "./table.ts";

/** Each takes the table and its name, which is the name of its files without the ending. */
export const RENDERERS: { readonly [ending: string]: (table: ScoreTable, name: string) => string } = {
  md: renderMarkdown,
  csv: renderCsv,
  tex: renderLatex,
  html: renderHtml,
  "cells.json": renderCells,
};

/** Writes a table to every path, in the format that the path's ending names. Throws for an unknown ending. */
export function writeTable(paths: readonly string[], table: ScoreTable): void {
  const endings = Object.keys(RENDERERS);
  for (const path of paths) {
    const ending = endings.find((each) => path.endsWith(`.${each}`));
    if (ending === undefined)
      throw new Error(
        `${path}: unknown table format; the file name must end with one of .${endings.join(", .")}`,
      );
    writeFileSync(path, RENDERERS[ending]!(table, basename(path, `.${ending}`)));
  }
}
