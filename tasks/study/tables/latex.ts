import { COLOURS } from "./colours.ts";
import { allNotes } from "./notes.ts";
import { tableNotice } from "./synthetic.ts";
import { cellText, classes, type ScoreTable } from "./table.ts";

/** A LaTeX table with coloured cells (needs `booktabs`, `multirow` and `\usepackage[table]{xcolor}`). */
export function renderLatex(table: ScoreTable): string {
  const marks = classes(table);
  const notice = tableNotice(table);
  const lines = [
    "% needs: booktabs, multirow, [table]{xcolor}",
    ...COLOURS.map(({ hex }, i) => `\\definecolor{quintile${i + 1}}{HTML}{${hex.slice(1).toUpperCase()}}`),
    "\\begin{table}",
    `\\caption{${escape(`${table.title}. ${table.caption}${notice === null ? "" : ` ${notice}`}`)}}`,
    `\\begin{tabular}{ll${"r".repeat(table.columns.length)}}`,
    "\\toprule",
    ` & & ${table.columns.map(escape).join(" & ")} \\\\`,
    "\\midrule",
  ];
  table.rows.forEach((row, r) => {
    table.metrics.forEach((metric, m) => {
      const name = m === 0 ? `\\multirow{${table.metrics.length}}{*}{${escape(row.name)}}` : "";
      const cells = table.columns.map((_, c) => {
        const mark = marks[r]?.[m]?.[c];
        const text = cellText(row.cells[m]?.[c])
          .replace("±", "$\\pm$")
          .replace("✗", "$\\times$")
          .replace("–", "--");
        return mark ? `\\cellcolor{quintile${mark}}${text}` : text;
      });
      lines.push(`${name} & ${escape(metric)} & ${cells.join(" & ")} \\\\`);
    });
  });
  lines.push("\\bottomrule", "\\end{tabular}");
  return [...lines, ...allNotes(table).map((note) => `% ${note}`), "\\end{table}", ""].join("\n");
}

const SPECIAL: { readonly [char: string]: string } = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

function escape(text: string): string {
  return text.replace(/[\\~^&%$#_{}]/g, (char) => SPECIAL[char] ?? `\\${char}`);
}
