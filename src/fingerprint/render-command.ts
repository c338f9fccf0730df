/** Fills `${in}`, `${out}` and `${scratch}` into a command. Only an attempt knows these paths. */
import { shellQuote as quoteWord } from "../system/quote.ts";
import { scriptCommand } from "../environment/interpreters.ts";
import type { Json, Task, TaskPath, Template, TemplatePart } from "../model/model.ts";

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

/** The command with its axes filled in. Params stay in it as `${path}`, and so do `${in}`, `${out}` and `${scratch}`. */
export function commandTemplate(command: Template | readonly Template[]): string {
  return templatesOf(command)
    .map(({ parts }) => parts.map(partText).join(""))
    .join(" ");
}

function partText(part: TemplatePart): string {
  if (part.kind === "text") return part.param === undefined ? part.text : `\${${part.param.path}}`;
  return "role" in part && part.role !== null ? `\${${part.kind}.${part.role}}` : `\${${part.kind}}`;
}

/** The params that are filled into a command, by path; null if there are none. */
export function filledParams(
  command: Template | readonly Template[],
): { readonly [path: string]: Json } | null {
  const params = templatesOf(command).flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.kind === "text" && part.param ? [[part.param.path, part.param.value] as const] : [],
    ),
  );
  return params.length === 0 ? null : Object.fromEntries(params);
}

function templatesOf(command: Template | readonly Template[]): readonly Template[] {
  return isList(command) ? command : [command];
}

/**
 * What a task runs, as a user would type it in the project's folder: the paths are those of the project. Null for a
 * module, which runs inside lq.
 */
export function typedCommand({
  action,
  inputs,
  outputs,
}: Pick<Task, "action" | "inputs" | "outputs">): string | null {
  if (action.kind === "run") return null;
  if (action.kind === "script") return scriptCommand(action.path, () => "python3").join(" ");
  const words = renderCommand(action.command, {
    in: pathsOfRole(inputs),
    out: pathsOfRole(outputs),
    scratch: "${scratch}",
  });
  return isList(action.command) ? words.map(quoteWord).join(" ") : (words.at(-1) ?? "");
}

/** `typedCommand` as a field of an event, if there is one. */
export function commandField(task: Task | undefined): { readonly command?: string } {
  const command = task === undefined ? null : typedCommand(task);
  return command === null ? {} : { command };
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
