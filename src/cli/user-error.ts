/**
 * Prints what is wrong with a request or a pipeline, with its places in the project's files, to stderr; with --json
 * as a line each on stdout as well.
 */
import type { UserError } from "../errors.ts";
import { placesOf, renderDiagnostics } from "../load/render.ts";
import { printable } from "../report/printable.ts";
import { startFolder, nearestProject, useColor, type CommonFlags } from "./flags.ts";

export function showUserError({ diagnostics }: UserError, flags: CommonFlags): void {
  const root = rootOrNothing(flags);
  const color = useColor(process.stderr, flags.color);
  process.stderr.write(`${printable(renderDiagnostics(diagnostics, { root, color }))}\n`);
  if (flags.json !== true) return;
  const places = placesOf(diagnostics, root);
  for (const [i, { message, hint }] of diagnostics.entries())
    console.log(JSON.stringify({ type: "error", message, ...places[i], hint }));
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
