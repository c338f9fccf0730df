/** Prints what is wrong with a request or a pipeline, with its places in the project's files, to stderr. */
import type { UserError } from "../errors.ts";
import { renderDiagnostics } from "../load/render.ts";
import { startFolder, nearestProject, useColor, type CommonFlags } from "./flags.ts";

export function showUserError({ diagnostics }: UserError, flags: CommonFlags): void {
  const root = rootOrNothing(flags);
  const color = useColor(process.stderr, flags.color);
  process.stderr.write(`${renderDiagnostics(diagnostics, { root, color })}\n`);
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
