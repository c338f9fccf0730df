import { COLOURS } from "./colours.ts";
import { allNotes } from "./notes.ts";
import { tableNotice } from "./synthetic.ts";
import { cellText, classes, percent, type Cell, type ScoreTable } from "./table.ts";

/**
 * A complete page with coloured cells. The quintile of a cell stands beside its value as a digit in a box. Where the
 * paper has the cell, its value and the difference stand below ours. Columns never wrap: a table that is wider than
 * the window scrolls.
 */
export function renderHtml(table: ScoreTable): string {
  const marks = classes(table);
  const notice = tableNotice(table);
  const rows = table.rows.flatMap((row, r) =>
    table.metrics.map((metric, m) => {
      const head =
        m === 0 ? `<th scope="rowgroup" rowspan="${table.metrics.length}">${escapeHtml(row.name)}</th>` : "";
      const cells = table.columns.map((_, c) =>
        cellHtml(row.cells[m]?.[c], marks[r]?.[m]?.[c], row.paper ? row.paper[m]?.[c] : undefined),
      );
      return `<tr>${head}<th scope="row">${escapeHtml(metric)}</th>${cells.join("")}</tr>`;
    }),
  );
  const legend = COLOURS.map(({ name }, i) => `<span class="q${i + 1}">${digit(i + 1)} ${name}</span>`).join(
    " ",
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(table.title)}</title>
<style>
body { font: 15px/1.4 Arial, Helvetica, sans-serif; margin: 1.5rem 1rem; color: #1b1b1b; background: #fff }
p, li { max-width: 45rem } .scroll { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: 13px; print-color-adjust: exact }
th, td { padding: .25rem .4rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; white-space: nowrap; font-variant-numeric: tabular-nums }
tbody th { text-align: left; font-weight: 600 } thead th { border-bottom: 2px solid #333 }
small { display: block; font-size: 11px; color: #1b1b1b } .notice { border-left: 4px solid #b35900; padding: .3rem .8rem; background: #fff4e5 }
.digit { display: inline-block; min-width: 1.1em; margin-left: .2em; border: 1px solid #555; border-radius: .2em; font-size: 11px; line-height: 1.2; text-align: center }
.legend { max-width: none } .legend span { white-space: nowrap; print-color-adjust: exact } .legend > span { padding: .2rem .5rem }
${COLOURS.map(({ hex }, i) => `.q${i + 1} { background: ${hex} }`).join("\n")}
</style>
<h1>${escapeHtml(table.title)}</h1>
${notice === null ? "" : `<p class="notice"><strong>${escapeHtml(notice)}</strong></p>\n`}<p>${escapeHtml(table.caption)}</p>
<div class="scroll" tabindex="0"><table>
<thead><tr><th></th><th></th>${table.columns.map((c) => `<th scope="col">${escapeHtml(c)}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>
<p class="legend">Quintile of each column and metric: ${legend}</p>
<ul>
${allNotes(table)
  .map((note) => `<li>${escapeHtml(note)}</li>`)
  .join("\n")}
</ul>
</html>
`;
}

type Printed = readonly [number, number] | null | undefined;

function cellHtml(cell: Cell | undefined, quintile: number | null | undefined, paper: Printed): string {
  if (!quintile) return `<td>${cellText(cell)}${comparison(cell, paper)}</td>`;
  const title = `${COLOURS[quintile - 1]?.name ?? ""} of its column`;
  return `<td class="q${quintile}" title="${title}">${cellText(cell)} ${digit(quintile)}${comparison(cell, paper)}</td>`;
}

const digit = (quintile: number) => `<span class="digit">${quintile}</span>`;

function comparison(cell: Cell | undefined, paper: Printed): string {
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
