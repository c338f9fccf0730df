import { COLOURS } from "./colours.ts";
import { allNotes } from "./notes.ts";
import { tableNotice } from "./synthetic.ts";
import { cellText, classes, percent, type Cell, type ScoreTable } from "./table.ts";

/** A complete page with coloured cells. Where the paper has the cell, its value and the difference stand below ours. */
export function renderHtml(table: ScoreTable): string {
  const marks = classes(table);
  const notice = tableNotice(table);
  const rows = table.rows.flatMap((row, r) =>
    table.metrics.map((metric, m) => {
      const head =
        m === 0 ? `<th scope="rowgroup" rowspan="${table.metrics.length}">${escapeHtml(row.name)}</th>` : "";
      const cells = table.columns.map((_, c) => {
        const mark = marks[r]?.[m]?.[c];
        const cell = row.cells[m]?.[c];
        const paper = row.paper ? comparison(cell, row.paper[m]?.[c]) : "";
        const title = mark ? ` title="${COLOURS[mark - 1]?.name ?? ""} of its column"` : "";
        return `<td${mark ? ` class="q${mark}"` : ""}${title}>${cellText(cell)}${mark ? ` <sup>${mark}</sup>` : ""}${paper}</td>`;
      });
      return `<tr>${head}<th scope="row">${escapeHtml(metric)}</th>${cells.join("")}</tr>`;
    }),
  );
  const legend = COLOURS.map(({ name }, i) => `<span class="q${i + 1}">${i + 1} ${name}</span>`).join(" ");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(table.title)}</title>
<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; print-color-adjust: exact }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; font-variant-numeric: tabular-nums }
tbody th { text-align: left; font-weight: 600 } thead th { border-bottom: 2px solid #333 }
small { display: block; color: #333 } .notice { border-left: 4px solid #b35900; padding: .3rem .8rem; background: #fff4e5 }
.legend span { padding: .1rem .5rem }
${COLOURS.map(({ hex }, i) => `.q${i + 1} { background: ${hex} }`).join("\n")}
</style>
<h1>${escapeHtml(table.title)}</h1>
${notice === null ? "" : `<p class="notice"><strong>${escapeHtml(notice)}</strong></p>\n`}<p>${escapeHtml(table.caption)}</p>
<table>
<thead><tr><th></th><th></th>${table.columns.map((c) => `<th scope="col">${escapeHtml(c)}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<p class="legend">${legend}</p>
<ul>
${allNotes(table)
  .map((note) => `<li>${escapeHtml(note)}</li>`)
  .join("\n")}
</ul>
</html>
`;
}

function comparison(cell: Cell | undefined, paper: readonly [number, number] | null | undefined): string {
  if (paper === undefined) return "";
  if (paper === null) return "<small>paper: ✗</small>";
  const difference = cell?.kind === "score" ? ` (${signed(cell.mean * 100 - paper[0])})` : "";
  return `<small>paper: ${percent(paper[0] / 100)} ± ${percent(paper[1] / 100)}${difference}</small>`;
}

const signed = (value: number) => (value < 0 ? `−${(-value).toFixed(1)}` : `+${value.toFixed(1)}`);

/** Escapes text for an element or an attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
