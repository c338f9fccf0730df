/**
 * Prints errors of a request or a pipeline to stderr, with their places in the project's files. With --json, also
 * prints each error as a line on stdout.
 */
import { userErrorOf, type UserError } from "../model/errors.ts";
import { moreLines } from "../model/cut-list.ts";
import { placesOf, renderDiagnostics, withoutPasswords } from "../load/render.ts";
import { printable } from "../report/printable.ts";
import { startFolder, nearestProject, useColor, type CommonFlags } from "./flags.ts";

/** How many errors to print to stderr at most. */
const MOST = 100;

/** Exit code: the request or the pipeline is wrong. */
export const WRONG = 2;

export function showUserError({ diagnostics }: UserError, flags: CommonFlags): void {
  const root = rootOrNothing(flags);
  const color = useColor(process.stderr, flags.color);
  const text = renderDiagnostics(diagnostics.slice(0, MOST), { root, color });
  const more = moreLines(diagnostics.length, MOST).map((line) => `\n${line}\n`);
  process.stderr.write(`${printable(text)}\n${more.join("")}`);
  if (flags.json !== true) return;
  const places = placesOf(diagnostics, root);
  for (const [i, { message, hint }] of diagnostics.entries())
    console.log(JSON.stringify({ type: "error", message: withoutPasswords(message), ...places[i], hint }));
}

/** Prints a user's error. @returns the exit code @throws any other error */
export function refuse(error: unknown, flags: CommonFlags): number {
  const userError = userErrorOf(error);
  if (userError === undefined) throw error;
  showUserError(userError, flags);
  return WRONG;
}

/** The folder that places in files are relative to. Without a project no error has a place, so any folder will do. */
function rootOrNothing(flags: CommonFlags): string {
  try {
    const from = startFolder(flags);
    return nearestProject(from) ?? from;
  } catch {
    return "/";
  }
}
