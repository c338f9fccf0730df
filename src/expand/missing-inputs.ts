/** Finds inputs that nothing makes and that are not there, or that are of another kind than declared. */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { firstNames } from "../model/cut-list.ts";
import type { Disk } from "../files/disk.ts";
import { UserError, type Diagnostic } from "../model/errors.ts";
import { meant, nearest } from "../load/suggest.ts";
import type { Task, TaskPath } from "../model/model.ts";
import { bindText } from "./bind.ts";
import type { Checked, Selection } from "./checked.ts";
import { rulesWithoutTasks, wouldMake } from "./no-tasks.ts";
import { spanOf } from "./span-of.ts";
import type { TaskGraph } from "./task-graph.ts";
import { upcoming } from "./upcoming.ts";

/** How many further paths a message names. */
const NAMED = 10;
/** How many outputs lq compares with a path to suggest one. */
const COMPARED = 20_000;

/** "empty" means an empty folder at an input that reads the names in a folder. */
type Presence = "ok" | "missing" | "empty" | "wrong kind";

interface Missing {
  readonly path: string;
  readonly task: Task;
  readonly paths: Set<string>;
  readonly state: Presence;
  readonly hint: string | undefined;
}

/**
 * Inputs that are a file in place of a folder or the reverse, folders without the names that a task reads, and, unless
 * `mayLackInputs`, inputs that are not there. One problem for each place in the pipeline.
 */
export function badInputs(
  checked: Checked,
  selection: Selection,
  mayLackInputs: boolean,
): readonly Diagnostic[] {
  const found = findMissing(checked, selection.tasks);
  if (mayLackInputs)
    return describe(
      checked,
      found.filter((each) => !isMissing(each)),
    );
  return describe(checked, [...found, ...missingLater(checked, selection, found)]);
}

/** One problem for each place in the pipeline that names inputs which are not there. */
export function missingInputs(checked: Checked, selection: Selection): readonly Diagnostic[] {
  const found = findMissing(checked, selection.tasks).filter(isMissing);
  return describe(checked, [...found, ...missingLater(checked, selection, found)]);
}

/** If an input is not there, those that later tasks will need: the user can fetch all of them at once. */
function missingLater(
  checked: Checked,
  { tasks, expansions }: Selection,
  found: readonly Missing[],
): readonly Missing[] {
  if (found.length === 0) return [];
  const later = upcoming(checked.graph, expansions).tasks.filter((task) => !tasks.has(task));
  return findMissing(checked, later);
}

function isMissing({ state }: Missing): boolean {
  return state === "missing";
}

/** Inputs that are not there, or not as they are declared: one entry for each place in the pipeline, even if many tasks read from it. */
function findMissing({ graph, disk, globs, outputs }: Checked, tasks: Iterable<Task>): readonly Missing[] {
  const missing = new Map<string, Missing>();
  const present = new Map<string, Presence>();
  const look = ({ path, names }: TaskPath): Presence => {
    const isFile = !path.endsWith("/") && path !== "";
    if (isFile && (outputs.under(`${path}/`).length > 0 || outputs.producer(`${path}/`))) return "wrong kind";
    return globs.found(path) ? "ok" : onDisk(disk, graph.pipeline.root, path, names === true);
  };
  for (const task of tasks) {
    for (const input of graph.needs(task).sources) {
      const { path } = input;
      let state = present.get(path);
      if (!state) present.set(path, (state = look(input)));
      if (state === "ok") continue;
      const { start } = spanOf(task, "inputs", path);
      const hint = hintOf(graph, task, input);
      const place = `${task.rule.name}:${start}:${state}:${hint ?? ""}`;
      const known = missing.get(place);
      if (known) known.paths.add(path);
      else missing.set(place, { path, task, paths: new Set([path]), state, hint });
    }
  }
  return [...missing.values()];
}

function describe({ graph, outputs }: Checked, missing: readonly Missing[]): readonly Diagnostic[] {
  if (missing.length === 0) return [];
  const empty = rulesWithoutTasks(graph);
  const known = [...outputs.paths()].map(([path]) => path).slice(0, COMPARED);
  return missing.map(({ path, task, paths, state, hint: given }) => {
    const [, ...others] = paths;
    const more = others.length > 0 ? `; the same holds for ${firstNames(others, NAMED)}` : "";
    const span = spanOf(task, "inputs", path);
    if (state === "wrong kind") {
      const [is, hint] = path.endsWith("/")
        ? ["a file, not a folder", `write "${path.slice(0, -1)}"`]
        : ["a folder", `write "${path}/" for all that is in it`];
      return { message: `input "${path}" of "${task.id}" is ${is}${more}`, span, hint };
    }
    const siblings = beside(graph.pipeline.root, path);
    const near =
      siblings.find((sibling) => sibling.normalize() === path.normalize()) ??
      nearest(path, [...known, ...siblings.filter((sibling) => letters(sibling) !== letters(path))], 0.2);
    const hint =
      given ??
      wouldMake(empty, path) ??
      asPattern(path) ??
      (near === undefined ? "make it with a rule, or put the file there" : meant(path, near));
    const is = state === "empty" ? "empty" : "not there";
    const message = `nothing makes "${path}", which "${task.id}" reads, and it is ${is}${more}`;
    return { message, span, hint };
  });
}

/** A path without its digits: the next number of a series is another case, not a misspelt one. */
function letters(path: string): string {
  return path.replace(/\d+/g, "");
}

/** The files and folders that are beside a path. */
function beside(root: string, path: string): readonly string[] {
  const folder = path.slice(0, path.lastIndexOf("/", path.length - 2) + 1);
  try {
    const entries = readdirSync(resolve(root, folder), { withFileTypes: true });
    return entries.map((entry) => folder + entry.name + (entry.isDirectory() ? "/" : ""));
  } catch {
    return [];
  }
}

/** A hint about wildcards of other tools: in a path of lq they are ordinary characters. */
function asPattern(path: string): string | undefined {
  if (path.includes("*")) return 'write a glob under axes:, or name a folder, with "/", for all files in it';
  const [braces] = /(?<!\$)\{[\w.]+\}/.exec(path) ?? [];
  return braces && `an axis is written \$${braces}`;
}

/** The hint that the rule gives for an input that is not there; undefined if a param in the hint is not set. */
function hintOf({ pipeline }: TaskGraph, { rule, bindings }: Task, { role }: TaskPath): string | undefined {
  const hint = rule.inputs.find((each) => each.role === role)?.hint;
  if (hint === undefined) return undefined;
  const names = { axes: rule.each.map(({ name }) => name), params: pipeline.params };
  try {
    return bindText(hint, names)(bindings);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function onDisk(disk: Disk, root: string, path: string, wantsNames: boolean): Presence {
  // `peek` fails for "file/" if the path is a file: ask for it without the "/".
  const stat = disk.peek(resolve(root, path.replace(/(.)\/$/, "$1")));
  if (!stat) return "missing";
  if (stat.isDirectory() !== (path.endsWith("/") || path === "")) return "wrong kind";
  return wantsNames && disk.list(resolve(root, path)).length === 0 ? "empty" : "ok";
}
