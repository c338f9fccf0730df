/** Shows diagnostics in a terminal: `pipeline.yaml:12:7: error: …`, the line, a caret, a hint. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnostic, Span } from "../model/errors.ts";

const MAX_WIDTH = 120;

/** Reads the files again from `root` to show the lines. For a file that cannot be read it shows only the name. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: { readonly root: string; readonly color: boolean },
): string {
  const paint = options.color ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m` : plain;
  const read = reader(options.root);
  return diagnostics.map((diagnostic) => render(diagnostic, read, paint)).join("\n\n");
}

/** The place of each diagnostic, if it is known. Line and column count from 1. */
export function placesOf(
  diagnostics: readonly Diagnostic[],
  root: string,
): readonly { readonly file?: string; readonly line?: number; readonly column?: number }[] {
  const read = reader(root);
  return diagnostics.map(({ span }) => {
    if (span === undefined) return {};
    const at = read(span.file)?.locate(span);
    return { file: span.file, ...(at && { line: at.line, column: at.column }) };
  });
}

/** Reads each file once; null if it cannot be read. */
function reader(root: string): (file: string) => Lines | null {
  const files = new Map<string, Lines | null>();
  return (file) => {
    if (!files.has(file)) files.set(file, readLines(resolve(root, file)));
    return files.get(file) ?? null;
  };
}

type Paint = (code: number, text: string) => string;
const [RED, CYAN, BOLD] = [31, 36, 1];
const plain: Paint = (_, text) => text;

function render(diagnostic: Diagnostic, read: (file: string) => Lines | null, paint: Paint): string {
  const { span, hint } = diagnostic;
  const message = `${paint(RED, "error:")} ${paint(BOLD, printable(withoutPasswords(diagnostic.message)))}`;
  const lines: string[] = [];
  const file = span ? read(span.file) : null;
  if (span && file !== null) {
    const at = file.locate(span);
    lines.push(`${printable(span.file)}:${at.line}:${at.column}: ${message}`);
    lines.push(...excerpt(at, paint));
  } else lines.push(span ? `${printable(span.file)}: ${message}` : message);
  if (hint !== undefined) lines.push(`  ${paint(CYAN, "hint:")} ${printable(withoutPasswords(hint))}`);
  return lines.join("\n");
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** How many characters of `text` to mark. */
  readonly length: number;
}

/** A text with an index of its lines, for finding many places in it. */
class Lines {
  readonly #text: string;
  /** Where each line starts. */
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
    this.#text = text;
    this.#starts = starts;
  }

  /** Line and column (both from 1) of a span's start, with the whole line. */
  locate(span: Span): Place {
    const text = this.#text;
    let start = Math.min(span.start, text.length);
    // Show a span at the very end of a file on the last line that is not empty.
    if (start === text.length) start = Math.max(0, text.trimEnd().length - 1);
    const line = this.#lineAt(start);
    const lineStart = this.#starts[line - 1] ?? 0;
    const lineText = text.slice(lineStart, this.#starts[line] ?? text.length).trimEnd();
    const column = start - lineStart;
    const length = Math.max(1, Math.min(span.end - start, lineText.length - column));
    return { line, column: column + 1, text: lineText, length };
  }

  #lineAt(offset: number): number {
    let [from, to] = [0, this.#starts.length];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) from = middle;
      else to = middle;
    }
    return from + 1;
  }
}

function excerpt({ line, column, text, length }: Place, paint: Paint): string[] {
  const number = String(line);
  const from = column > MAX_WIDTH - 20 ? column - 20 : 0;
  const shown = withoutPasswords(text).slice(from, from + MAX_WIDTH);
  const before = shown.slice(0, column - 1 - from).replace(/[^\t]/gu, " ");
  const carets = "^".repeat(Math.max(1, Math.min(length, MAX_WIDTH - before.length)));
  return [
    `  ${number} | ${printable(shown)}`,
    `  ${" ".repeat(number.length)} | ${before}${paint(RED, carets)}`,
  ];
}

/** Hides what may be a password in a URL, but not the name of an image. Keeps the length, so that columns stay right. */
export function withoutPasswords(text: string): string {
  return text.replace(
    /(?<!docker|oras|library|shub):\/\/[^\s"']*@/g,
    (match) => `://${"*".repeat(match.length - 4)}@`,
  );
}

/** Replaces control characters, because text from a file must not control the terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u00b7");
}

function readLines(path: string): Lines | null {
  try {
    return new Lines(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
