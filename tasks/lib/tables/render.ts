/** The renderings of a score table by file ending. */
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
