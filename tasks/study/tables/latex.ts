/**
 * A LaTeX table that can be compiled by itself and read by `\input` into a paper.
 *
 * Alone, the file begins a document of its own. In a paper it must stand after `\begin{document}`; its first comment
 * says which packages the paper's preamble needs. Every quintile has a colour and a digit in a box, because colours
 * do not survive a grey print.
 */
import { COLOURS } from "./colours.ts";
import { allNotes } from "./notes.ts";
import { tableNotice } from "./synthetic.ts";
import { cellText, classes, type Cell, type ScoreTable } from "./table.ts";
import { tex } from "./tex.ts";

/** `name` becomes the label, `tab:NAME`. */
export function renderLatex(table: ScoreTable, name: string): string {
  const marks = classes(table);
  const rows = table.rows.map((row, r) =>
    table.metrics.map((metric, m) => {
      const cells = table.columns.map((_, c) => cellTex(row.cells[m]?.[c], marks[r]?.[m]?.[c]));
      return `${[m === 0 ? tex(row.name) : "", tex(metric), ...cells].join(" & ")} \\\\`;
    }),
  );
  const notes = [LEGEND, ...allNotes(table).map(tex)].join("\n");
  return `% Compile this file by itself, or put \\input{${name}} into a paper that has in its preamble:
%   \\usepackage{booktabs,graphicx}
%   \\usepackage[table]{xcolor}
${BEGIN_ALONE}
${COLOURS.map(({ hex }, i) => `\\definecolor{lqquintile${i + 1}}{HTML}{${hex.slice(1).toUpperCase()}}`).join("\n")}
\\providecommand{\\lqdigit}[1]{{\\setlength{\\fboxsep}{0.8pt}\\fbox{\\scriptsize #1}}}
\\providecommand{\\lqkey}[1]{{\\setlength{\\fboxsep}{1.5pt}\\colorbox{lqquintile#1}{\\lqdigit{#1}}}}
\\begin{table}[htbp]
\\centering
\\caption{${tex(captionOf(table))}}
\\label{tab:${name.replace(/[^\w.:-]/g, "-")}}
\\medskip
% The table shrinks to the width of the text if it is wider.
\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%
\\begin{tabular}{ll${"r".repeat(table.columns.length)}}
\\toprule
 & & ${table.columns.map(tex).join(" & ")} \\\\
\\midrule
${rows.map((lines) => lines.join("\n")).join("\n\\addlinespace\n")}
\\bottomrule
\\end{tabular}}
\\par\\medskip
\\begin{minipage}{\\linewidth}\\footnotesize\\raggedright
${notes}
\\end{minipage}
\\end{table}
\\lqend
`;
}

/** `\@nodocument` is `\relax` after `\begin{document}` and nowhere before it. */
const BEGIN_ALONE = `\\expandafter\\ifx\\csname @nodocument\\endcsname\\relax
  \\def\\lqend{}
\\else
  \\documentclass{article}
  \\usepackage{booktabs,graphicx}
  \\usepackage[table]{xcolor}
  \\begin{document}
  \\def\\lqend{\\end{document}}
\\fi`;

const LEGEND = `Quintile of each column and metric: ${COLOURS.map(
  ({ name }, i) => `\\lqkey{${i + 1}}~${name}`,
).join(", ")}.`;

/** LaTeX numbers tables itself, so a number in the title goes. */
function captionOf(table: ScoreTable): string {
  const { title, caption } = table;
  const notice = tableNotice(table);
  const unnumbered = title.replace(/^table\s+\S+:\s*/i, "");
  const first = `${unnumbered.charAt(0).toUpperCase()}${unnumbered.slice(1)}.`;
  return [first, caption, ...(notice === null ? [] : [notice])].join(" ");
}

function cellTex(cell: Cell | undefined, quintile: number | null | undefined): string {
  const text = tex(cellText(cell));
  return quintile ? `\\cellcolor{lqquintile${quintile}}${text} \\lqdigit{${quintile}}` : text;
}
