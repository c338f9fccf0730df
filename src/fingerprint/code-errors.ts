/** Turns esbuild's errors into errors of lq. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "esbuild";
import { UserError, type Diagnostic } from "../model/errors.ts";

export function codeError(root: string, messages: readonly Message[]): UserError {
  return new UserError(messages.map((message) => diagnostic(root, message)).sort(byPlace));
}

function byPlace({ span: a }: Diagnostic, { span: b }: Diagnostic): number {
  const [one, two] = [a?.file ?? "", b?.file ?? ""];
  return one === two ? (a?.start ?? 0) - (b?.start ?? 0) : one < two ? -1 : 1;
}

function diagnostic(root: string, { text, location, notes }: Message): Diagnostic {
  const hint = notes.map((note) => note.text).join(" ");
  const advice = hint === "" ? {} : { hint };
  if (location === null) return { message: text, ...advice };
  const start = offsetOf(readFileSync(join(root, location.file), "utf8"), location.line, location.column);
  return { message: text, span: { file: location.file, start, end: start + location.length }, ...advice };
}

/** @param line from 1; @param column in UTF-8 bytes from 0, as esbuild counts */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let each = 1; each < line; each++) start = text.indexOf("\n", start) + 1;
  const end = text.indexOf("\n", start);
  const bytes = Buffer.from(text.slice(start, end < 0 ? undefined : end));
  return start + bytes.subarray(0, column).toString().length;
}
