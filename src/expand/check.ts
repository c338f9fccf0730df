/** Checks a graph as a whole, before anything runs. */
import { andMore } from "../model/cut-list.ts";
import { readdirSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Disk } from "../files/disk.ts";
import { UserError, type Span } from "../model/errors.ts";
import { findModule, modulePath } from "../fingerprint/modules.ts";
import { Problems } from "../load/problems.ts";
import { meant, nearest } from "../load/suggest.ts";
import type { PendingExpansion, Task, TaskPath } from "../model/model.ts";
import { bindText } from "./bind.ts";
import { findCycles } from "./cycles.ts";
import { globReach, type SourceGlobs } from "./glob.ts";
import type { TaskGraph } from "./task-graph.ts";
import type { OutputIndex } from "./outputs.ts";
import { rulesWithoutTasks, wouldMake } from "./no-tasks.ts";
import { upcoming } from "./upcoming.ts";

export interface Selection {
  readonly tasks: ReadonlySet<Task>;
  readonly expansions: ReadonlySet<PendingExpansion>;
}

/** "empty" means an empty folder at an input that reads the names in a folder. */
type Presence = "ok" | "missing" | "empty" | "wrong kind";

interface Missing {
  readonly path: string;
  readonly task: Task;
  readonly paths: Set<string>;
  readonly state: Presence;
  readonly hint: string | undefined;
}

const NAMES_IN_A_FILE =
  "let a rule write the names to a file, and read them from there: { in: names.json, at: names }";

interface Collision {
  readonly path: string;
  readonly first: Task;
  readonly second: Task;
}

/** A graph, with the data that it was made from. */
export interface Checked {
  readonly graph: TaskGraph;
  readonly disk: Disk;
  readonly globs: SourceGlobs;
  readonly outputs: OutputIndex;
  /** Outputs that two tasks make. */
  readonly collisions: readonly Collision[];
}

/**
 * @param selection the tasks and pending expansions whose inputs must be there; undefined: all
 * @throws UserError with every problem
 */
export function checkGraph(checked: Checked, selection: Selection | undefined): void {
  const { graph, globs, outputs, collisions } = checked;
  const problems = new Problems();
  for (const collision of collisions) refuseCollision(collision, problems);
  refuseNesting(outputs, problems);
  refuseSources(graph, outputs, problems);
  refuseMadeMatches(graph, globs, outputs, problems);
  refuseMissingModules(graph, problems);
  const { tasks, expansions } = selection ?? graph;
  const before = problems.count;
  refuse(findMissingInputs(checked, tasks), checked, problems);
  // If an input is not there, report also those that later tasks will need: the user can fetch all of them at once.
  if (selection && problems.count > before) {
    const later = upcoming(graph, expansions).tasks.filter((task) => !selection.tasks.has(task));
    refuse(findMissingInputs(checked, later), checked, problems);
  }
  refuseMissingAxisFiles(graph, expansions, problems);
  for (const { names, span } of findCycles(graph)) {
    const hint = names.length === 2 ? "a task cannot read what it writes" : "each needs what comes after it";
    problems.add(`cycle: ${names.join(" → ")}`, span, hint);
  }
  problems.throwIfAny();
}

function refuseCollision({ path, first, second }: Collision, problems: Problems): void {
  const [a, b] = [first.rule, second.rule];
  const span = spanOf(second, "outputs", path);
  if (a !== b) {
    problems.add(`rules "${a.name}" and "${b.name}" both make "${path}"`, span, "give each its own path");
    return;
  }
  const differing = a.each
    .map(({ name }) => name)
    .filter((_, i) => first.bindings[i]?.text !== second.bindings[i]?.text);
  const hint = differing.length > 0 ? `put \${${differing.join("}, ${")}} into the path` : "name it once";
  const makers =
    first === second ? `task "${first.id}" makes` : `tasks "${first.id}" and "${second.id}" both make`;
  problems.add(`${makers} "${path}"${first === second ? " twice" : ""}`, span, hint);
}

/** Refuses an output inside another output, and one path as both a file and a directory. */
function refuseNesting(outputs: OutputIndex, problems: Problems): void {
  for (const directory of outputs.directories()) {
    const outer = outputs.exact(directory);
    const file = outputs.exact(directory.slice(0, -1));
    const inner = (outer ?? file) ? outputs.under(directory)[0] : undefined;
    if (outer && inner) {
      const message = `"${inner.id}" writes inside "${directory}", which is an output of "${outer.id}"`;
      problems.add(
        message,
        spanOf(inner, "outputs", directory),
        "an output folder belongs to one task alone",
      );
    }
    if (file && inner) {
      const message = `"${directory.slice(0, -1)}" is an output of "${file.id}", and a folder that "${inner.id}" writes in`;
      problems.add(message, spanOf(file, "outputs", directory.slice(0, -1)));
    }
  }
  for (const [path, task] of outputs.paths()) {
    const file = path.endsWith("/") ? outputs.exact(path.slice(0, -1)) : undefined;
    if (file)
      problems.add(`"${path}" is an output both as a file and as a folder`, spanOf(task, "outputs", path));
  }
}

/** Refuses outputs that would replace a source: a file of the pipeline, a task module, code, or a file of an axis. */
function refuseSources(graph: TaskGraph, outputs: OutputIndex, problems: Problems): void {
  const modules = [...graph.pipeline.rules.values()].flatMap(({ action }) =>
    action.kind === "run"
      ? relative(graph.pipeline.root, modulePath(graph.pipeline.root, action.module))
      : [],
  );
  const code = [...graph.pipeline.rules.values()].flatMap((rule) => rule.code.map(({ path }) => path));
  for (const source of new Set([...graph.files, ...modules, ...code])) {
    const task = outputs.producer(source);
    if (!task) continue;
    problems.add(
      `output of "${task.id}" would replace the source "${source}"`,
      spanOf(task, "outputs", source),
    );
  }
}

/** Refuses globs that match outputs: such a match would depend on what was built before. */
function refuseMadeMatches(
  { pipeline: { root } }: TaskGraph,
  globs: SourceGlobs,
  outputs: OutputIndex,
  problems: Problems,
): void {
  for (const [text, span] of globs.patterns) {
    const { folder, like, matches } = globReach(root, text, span);
    const maker = outputs.producer(like);
    if (maker && !outputs.exact(like)) {
      const message = `the axis pattern "${text}" matches what "${maker.id}" makes: a glob finds sources only`;
      problems.add(message, span, NAMES_IN_A_FILE);
      continue;
    }
    for (const task of outputs.under(folder)) {
      const made = task.outputs.find(({ path }) => matches(path));
      if (!made) continue;
      const message = `output "${made.path}" of "${task.id}" is also a source: the axis pattern "${text}" matches it`;
      const hint = `write it to another folder; to go over what "${task.rule.name}" makes, use its axes`;
      problems.add(message, spanOf(task, "outputs", made.path), hint);
      break;
    }
  }
}

function refuseMissingModules({ pipeline: { root, rules } }: TaskGraph, problems: Problems): void {
  for (const { action } of rules.values()) {
    if (action.kind !== "run" || findModule(root, action.module) !== undefined) continue;
    problems.add(`there is no module "${action.module}"`, action.span, nearModule(root, action.module));
  }
}

/** A module of lq with this name, or a similar name in the same folder. */
function nearModule(root: string, module: string): string | undefined {
  const own = `lq:${module}`;
  if (findModule(root, own) !== undefined) return `lq comes with one: write "${own}"`;
  const folder = module.slice(0, module.lastIndexOf("/") + 1);
  const near = nearest(module.slice(folder.length), modulesIn(modulePath(root, folder)));
  return near === undefined ? undefined : `did you mean "${folder}${near}"?`;
}

function modulesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /\.m?[jt]s$/.test(name));
  } catch {
    return [];
  }
}

/** Inputs that are not there: one entry for each place in the pipeline, even if many tasks read from it. */
function findMissingInputs(
  { graph, disk, globs, outputs }: Checked,
  tasks: Iterable<Task>,
): readonly Missing[] {
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

function refuse(missing: readonly Missing[], { graph, outputs }: Checked, problems: Problems): void {
  if (missing.length === 0) return;
  const empty = rulesWithoutTasks(graph);
  const known = [...outputs.paths()].map(([path]) => path).slice(0, 20_000);
  for (const { path, task, paths, state, hint: given } of missing) {
    const more = paths.size > 1 ? ` (${andMore(paths.size - 1, "like it")})` : "";
    const span = spanOf(task, "inputs", path);
    if (state === "wrong kind") {
      const [is, hint] = path.endsWith("/")
        ? ["a file, not a folder", `write "${path.slice(0, -1)}"`]
        : ["a folder", `write "${path}/" for all that is in it`];
      problems.add(`input "${path}" of "${task.id}" is ${is}${more}`, span, hint);
      continue;
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
    problems.add(`nothing makes "${path}", which "${task.id}" reads, and it is ${is}${more}`, span, hint);
  }
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

function refuseMissingAxisFiles(
  graph: TaskGraph,
  expansions: Iterable<PendingExpansion>,
  problems: Problems,
): void {
  for (const { file, rule, bound } of expansions) {
    if (graph.producer(file) || graph.expansionsFor(file).length > 0) continue;
    const each = rule.each[bound.length];
    const message = `nothing makes "${file}", from which axis "${each?.name ?? ""}" of rule "${rule.name}" is read, and it is not there`;
    problems.add(message, each?.axis.span ?? rule.span);
  }
}

/** The place of a task's input or output in the pipeline. */
function spanOf(task: Task, side: "inputs" | "outputs", path: string): Span {
  const found = task[side].findIndex((item) => item.path === path);
  const role = task[side][found]?.role;
  const declaration = task.rule[side].find((each) => each.role === role) ?? task.rule[side][0];
  const before = task[side].slice(0, Math.max(0, found)).filter((item) => item.role === role).length;
  return (declaration?.paths[before] ?? declaration?.paths[0])?.span ?? task.rule.span;
}
