import { allNotes } from "./notes.ts";
import { tableNotice } from "./synthetic.ts";
import { cellText, classes, QUINTILE_MARKS, type ScoreTable } from "./table.ts";

const QUINTILES = "Quintile of each column and metric: ① worst fifth … ⑤ best fifth.";

/** GitHub-flavoured Markdown. Quintiles are circled digits, because plain text has no colours. */
export function renderMarkdown(table: ScoreTable): string {
  const marks = classes(table);
  const notice = tableNotice(table);
  const lines = [
    `# ${table.title}`,
    "",
    ...(notice === null ? [] : [`> **${notice}**`, ""]),
    table.caption,
    "",
  ];
  lines.push(
    `| | | ${table.columns.map(escape).join(" | ")} |`,
    `|---|---|${table.columns.map(() => "---:|").join("")}`,
  );
  table.rows.forEach((row, r) => {
    table.metrics.forEach((metric, m) => {
      const cells = table.columns.map((_, c) => {
        const mark = marks[r]?.[m]?.[c];
        return `${cellText(row.cells[m]?.[c])}${mark ? ` ${QUINTILE_MARKS[mark - 1] ?? ""}` : ""}`;
      });
      lines.push(`| ${m === 0 ? escape(row.name) : ""} | ${escape(metric)} | ${cells.join(" | ")} |`);
    });
  });
  const notes = [QUINTILES, ...allNotes(table)];
  return [...lines, "", ...notes.map((note) => `- ${note}`), ""].join("\n");
}

/** Escapes text for a table cell. */
export function escape(text: string): string {
  return text.replace(/[\\|`*_<>[\]]/g, "\\$&").replace(/\s+/g, " ");
}
