/** Puts the page and its data into one HTML file, which needs no server and sends no request. */
import { createHash } from "node:crypto";
import type { ReportData } from "./report-data.ts";

export interface PageCode {
  readonly script: string;
  readonly style: string;
}

/** The bytes of a report without its data. */
export function emptySize(code: PageCode): number {
  return Buffer.byteLength(html("", "null", code));
}

/** Each report has this at its beginning, so that lq recognises what it may replace. */
export const REPORT_MARK = `<meta name="generator" content="lq report">`;

export function reportHtml(data: ReportData, code: PageCode): string {
  return html(escaped(data.project.name), inScript(data), code);
}

function html(title: string, data: string, { script, style }: PageCode): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${REPORT_MARK}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This report needs JavaScript.</noscript>
<script type="application/json" id="data">${data}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

/** JSON that cannot end the element that contains it, nor begin a comment in it. */
function inScript(data: ReportData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
