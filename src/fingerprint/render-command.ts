/** Fills `${in}`, `${out}` and `${scratch}` into a command. Only an attempt knows these paths. */
import type { TaskPath, Template } from "../model/model.ts";

export interface CommandPaths {
  /** The paths of a role; null means all roles. */
  readonly in: (role: string | null) => readonly string[];
  readonly out: (role: string | null) => readonly string[];
  readonly scratch: string | null;
}

/**
 * Returns the program and its arguments. A string runs under bash with quoted paths. A list runs directly, and an
 * argument that is only `${in}` becomes one argument for each path.
 */
export function renderCommand(
  command: Template | readonly Template[],
  paths: CommandPaths,
): readonly string[] {
  if (!isList(command)) {
    return [
      "bash",
      "-euo",
      "pipefail",
      "-c",
      render(command, paths, (list) => list.map(shellQuote).join(" ")),
    ];
  }
  return command.flatMap((argument) => {
    const [only] = argument.parts;
    if (argument.parts.length === 1 && (only?.kind === "in" || only?.kind === "out")) {
      return paths[only.kind](only.role).map(notAnOption);
    }
    return [render(argument, paths, (list) => list.join(" "))];
  });
}

/** The paths of a role among these; null means all roles. */
export function pathsOfRole(paths: readonly TaskPath[]): CommandPaths["in"] {
  return (role) => paths.filter((each) => role === null || each.role === role).map(({ path }) => path);
}

/** Quotes any text as one word for a POSIX shell. */
export function shellQuote(word: string): string {
  const safe = notAnOption(word);
  return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`;
}

/** A path that begins with a dash must not be read as an option. */
function notAnOption(path: string): string {
  return path.startsWith("-") ? `./${path}` : path;
}

function render(template: Template, paths: CommandPaths, join: (paths: readonly string[]) => string): string {
  return template.parts
    .map((part) => {
      if (part.kind === "text") return part.text;
      if (part.kind === "in" || part.kind === "out") return join(paths[part.kind](part.role));
      if (part.kind === "scratch") return join(paths.scratch === null ? [] : [paths.scratch]);
      throw new Error(`\${${part.kind}} was left in a command after expansion`);
    })
    .join("");
}

function isList(command: Template | readonly Template[]): command is readonly Template[] {
  return Array.isArray(command);
}
