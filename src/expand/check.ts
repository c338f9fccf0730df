/** Checks a graph as a whole, before anything runs. */
import { readdirSync } from "node:fs";
import { relative } from "node:path";
import { findModule, modulePath } from "../fingerprint/modules.ts";
import { Problems } from "../load/problems.ts";
import { nearest } from "../load/suggest.ts";
import type { PendingExpansion } from "../model/model.ts";
import { findCycles } from "./cycles.ts";
import { globReach, type SourceGlobs } from "./glob.ts";
import { badInputs } from "./missing-inputs.ts";
import { spanOf } from "./span-of.ts";
import type { Checked, Collision, Selection } from "./checked.ts";
import type { TaskGraph } from "./task-graph.ts";
import type { OutputIndex } from "./outputs.ts";

const NAMES_IN_A_FILE =
  "let a rule write the names to a file, and read them from there: { in: names.json, at: names }";

/**
 * @param selection the tasks and pending expansions whose inputs must be there; undefined: all
 * @param mayLackInputs leaves out inputs that are not there: their tasks cannot run, the others can
 * @throws UserError with every problem
 */
export function checkGraph(checked: Checked, selection: Selection | undefined, mayLackInputs: boolean): void {
  const { graph, globs, outputs, collisions } = checked;
  const problems = new Problems();
  for (const collision of collisions) refuseCollision(collision, problems);
  refuseNesting(outputs, problems);
  refuseSources(graph, outputs, problems);
  refuseMadeMatches(graph, globs, outputs, problems);
  refuseMissingModules(graph, problems);
  const all = selection ?? { tasks: new Set(graph.tasks), expansions: new Set(graph.expansions) };
  for (const { message, span, hint } of badInputs(checked, all, mayLackInputs))
    problems.add(message, span, hint);
  refuseMissingAxisFiles(graph, all.expansions, problems);
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
