/**
 * Prints what is wrong with a request or a pipeline, with its places in the project's files, to stderr; with --json
 * as a line each on stdout as well.
 */
import { userErrorOf, type UserError } from "../model/errors.ts";
import { placesOf, renderDiagnostics } from "../load/render.ts";
import { printable } from "../report/printable.ts";
import { startFolder, nearestProject, useColor, type CommonFlags } from "./flags.ts";

/** Errors that are shown to people. */
const MOST = 100;

/** Exit code: the request or the pipeline is wrong. */
export const WRONG = 2;

export function showUserError({ diagnostics }: UserError, flags: CommonFlags): void {
  const root = rootOrNothing(flags);
  const color = useColor(process.stderr, flags.color);
  const text = renderDiagnostics(diagnostics.slice(0, MOST), { root, color });
  const more = diagnostics.length - MOST;
  process.stderr.write(`${printable(text)}\n${more > 0 ? `\n… and ${more} more (--json lists all)\n` : ""}`);
  if (flags.json !== true) return;
  const places = placesOf(diagnostics, root);
  for (const [i, { message, hint }] of diagnostics.entries())
    console.log(JSON.stringify({ type: "error", message, ...places[i], hint }));
}

/** Tells a user's error. @throws any other */
export function refuse(error: unknown, flags: CommonFlags): number {
  const told = userErrorOf(error);
  if (told === undefined) throw error;
  showUserError(told, flags);
  return WRONG;
}

/** Of what is told without a project, or without a folder, nothing is in a file. */
function rootOrNothing(flags: CommonFlags): string {
  try {
    const from = startFolder(flags);
    return nearestProject(from) ?? from;
  } catch {
    return "/";
  }
}
