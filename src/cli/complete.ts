/** `lq complete -- WORDS…`: prints the words that the last word, empty or half typed, can become. It never fails. */
import type { Command, Option } from "commander";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expand } from "../expand/expand.ts";
import type { Json } from "../model/model.ts";
import { hasValues } from "../model/task-id.ts";
import { printableLine } from "../report/printable.ts";
import { openProject, type CommonFlags, type Project } from "./options.ts";
import { createProgram } from "./program.ts";

/** How many candidates to print at most. No shell shows more. */
const MOST = 1000;

export function runComplete(typed: readonly string[]): number {
  const words = typed[0] === "--" ? typed.slice(1) : typed;
  const last = words.at(-1) ?? "";
  // The shell shows each line unchanged, so leave out candidates that a terminal cannot show.
  const fitting = candidates(words.slice(0, -1), last).filter(
    (candidate) => candidate.startsWith(last) && printableLine(candidate) === candidate,
  );
  if (fitting.length > 0) process.stdout.write(`${[...new Set(fitting)].slice(0, MOST).join("\n")}\n`);
  return 0;
}

function candidates(before: readonly string[], last: string): readonly string[] {
  const { program } = createProgram();
  const { command, flags, expects } = read(program, before);
  if (expects !== undefined) return flagValues(expects, flags);
  if (last.startsWith("-"))
    return [program, command ?? program].flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
  if (command === undefined) return program.commands.map((known) => known.name());
  const choices = command.registeredArguments[0]?.argChoices;
  return choices ?? project(flags, (found) => targets(found, last));
}

interface Typed {
  readonly command: Command | undefined;
  readonly flags: CommonFlags;
  /** The flag whose value comes next. */
  readonly expects: Option | undefined;
}

function read(program: Command, words: readonly string[]): Typed {
  let command: Command | undefined;
  let flags: CommonFlags = {};
  let expects: Option | undefined;
  for (const word of words) {
    if (expects !== undefined) {
      if (expects.long === "--directory") flags = { ...flags, directory: word };
      if (expects.long === "--profile") flags = { ...flags, profile: [...(flags.profile ?? []), word] };
      expects = undefined;
    } else if (word.startsWith("-")) {
      const known = [...program.options, ...(command?.options ?? [])];
      expects = known.find((option) => option.required && [option.short, option.long].includes(word));
    } else command ??= program.commands.find((known) => known.name() === word);
  }
  return { command, flags, expects };
}

function flagValues({ long, argChoices }: Option, flags: CommonFlags): readonly string[] {
  if (argChoices) return argChoices;
  if (long === "--set") return project(flags, ({ pipeline }) => paramPaths(pipeline.params));
  if (long !== "--profile") return [];
  return project({ ...flags, profile: [] }, ({ pipeline }) =>
    readdirSync(join(pipeline.root, "profiles")).flatMap((name) => /^(.*)\.yaml$/.exec(name)?.[1] ?? []),
  );
}

/** Completes rules; outputs, one level of folders at a time; and task ids after a rule's name. */
function targets({ pipeline, cwd }: Project, typed: string): readonly string[] {
  const { tasks } = expand(pipeline);
  if (hasValues(typed)) return tasks.map(({ id }) => id);
  const outputs = tasks.flatMap((task) => task.outputs.map(({ path }) => path));
  const paths = outputs.map(
    (path) => relative(cwd, join(pipeline.root, path)) + (path.endsWith("/") ? "/" : ""),
  );
  const cut = paths
    .filter((path) => path.startsWith(typed))
    .map((path) => path.slice(0, path.indexOf("/", typed.length) + 1 || undefined));
  return [...pipeline.rules.keys(), ...cut];
}

function paramPaths(params: Json, above = ""): readonly string[] {
  if (params === null || typeof params !== "object" || Array.isArray(params))
    return [`${above.slice(0, -1)}=`];
  return Object.entries(params).flatMap(([key, value]) => paramPaths(value, `${above}${key}.`));
}

/** Returns no candidates if the project is missing or broken. */
function project<T>(flags: CommonFlags, ask: (found: Project) => readonly T[]): readonly T[] {
  try {
    return ask(openProject(flags));
  } catch {
    return [];
  }
}
