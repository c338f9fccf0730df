/** Diagnostics as text for a terminal: `pipeline.yaml:12:7: error: …`, the line, a caret, a hint. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnostic, Span } from "../errors.ts";

const MAX_WIDTH = 120;

/** Files are read again from `root` to show the lines; one that cannot be read is named without them. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: { readonly root: string; readonly color: boolean },
): string {
  const paint = options.color ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m` : plain;
  const texts = new Map<string, string | null>();
  const read = (file: string): string | null => {
    if (!texts.has(file)) texts.set(file, readText(resolve(options.root, file)));
    return texts.get(file) ?? null;
  };
  return diagnostics.map((diagnostic) => render(diagnostic, read, paint)).join("\n\n");
}

type Paint = (code: number, text: string) => string;
const [RED, CYAN, BOLD] = [31, 36, 1];
const plain: Paint = (_, text) => text;

function render(diagnostic: Diagnostic, read: (file: string) => string | null, paint: Paint): string {
  const { span, hint } = diagnostic;
  const message = `${paint(RED, "error:")} ${paint(BOLD, printable(diagnostic.message))}`;
  const lines: string[] = [];
  const text = span ? read(span.file) : null;
  if (span && text !== null) {
    const at = locate(text, span);
    lines.push(`${printable(span.file)}:${at.line}:${at.column}: ${message}`);
    lines.push(...excerpt(at, paint));
  } else lines.push(span ? `${printable(span.file)}: ${message}` : message);
  if (hint !== undefined) lines.push(`  ${paint(CYAN, "hint:")} ${printable(hint)}`);
  return lines.join("\n");
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** Characters of `text` that are meant. */
  readonly length: number;
}

/** Line and column (both from 1) of a span's start, with the whole line. */
export function locate(text: string, span: Span): Place {
  let start = Math.min(span.start, text.length);
  // A span at the very end of a file is shown at the last line that has something on it.
  if (start === text.length) start = Math.max(0, text.trimEnd().length - 1);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", lineStart);
  const lineEnd = newline < 0 ? text.length : newline;
  const line = text.slice(lineStart, lineEnd).trimEnd();
  const column = start - lineStart;
  const length = Math.max(1, Math.min(span.end - start, line.length - column));
  return { line: lineNumber(text, lineStart), column: column + 1, text: line, length };
}

function lineNumber(text: string, end: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < end; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

function excerpt({ line, column, text, length }: Place, paint: Paint): string[] {
  const number = String(line);
  const from = column > MAX_WIDTH - 20 ? column - 20 : 0;
  const shown = text.slice(from, from + MAX_WIDTH);
  const before = shown.slice(0, column - 1 - from).replace(/[^\t]/gu, " ");
  const carets = "^".repeat(Math.max(1, Math.min(length, MAX_WIDTH - before.length)));
  return [
    `  ${number} | ${printable(shown)}`,
    `  ${" ".repeat(number.length)} | ${before}${paint(RED, carets)}`,
  ];
}

/** A file's bytes must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u00b7");
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
