/** The renderings of a score table by file ending. */
import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";
import { renderLatex } from "./latex.ts";
import { renderMarkdown } from "./markdown.ts";
import type { ScoreTable } from "./table.ts";

export const RENDERERS: { readonly [ending: string]: (table: ScoreTable) => string } = {
  md: renderMarkdown,
  csv: renderCsv,
  tex: renderLatex,
  html: renderHtml,
};

/** Writes a table to every path, in the rendering that its ending names. */
export function writeTable(paths: readonly string[], table: ScoreTable): void {
  for (const path of paths) {
    const ending = extname(path).slice(1);
    const render = RENDERERS[ending];
    if (!render)
      throw new Error(
        `${path}: no table format ".${ending}" (there are ${Object.keys(RENDERERS).join(", ")})`,
      );
    writeFileSync(path, render(table));
  }
}
