/** Selects the tasks that make the targets, and all tasks that those need. */
import { posix } from "node:path";
import picomatch from "picomatch";
import type { Graph } from "../expand/graph.ts";
import type { PathPattern } from "../expand/pending.ts";
import { nearest } from "../load/suggest.ts";
import type { PendingExpansion, Target, Task } from "../model/model.ts";
import { hasValues, knownPart } from "../model/task-id.ts";
import { TargetPattern } from "./target.ts";

export interface Selected {
  readonly tasks: ReadonlySet<Task>;
  /** The tasks that the targets themselves name. */
  readonly named: ReadonlySet<Task>;
  /** Expansions that may add tasks to these. */
  readonly expansions: ReadonlySet<PendingExpansion>;
  /** Targets that neither a task nor an expansion can make. */
  readonly unmatched: readonly Target[];
}

interface Wanted {
  readonly tasks: Iterable<Task>;
  readonly expansions: Iterable<PendingExpansion>;
}

/**
 * Selects the tasks of targets (target.ts). Paths in targets are relative to `cwd`, which is a folder relative to the
 * project ("" is the project). Without targets it takes the pipeline's `default`, with paths relative to the project;
 * without a `default` it takes everything.
 */
export function select(graph: Graph, targets: readonly string[], cwd: string): Selected {
  const { pipeline } = graph;
  const typed = targets.length > 0;
  const wantedTargets: readonly Target[] = typed ? targets.map((text) => ({ text })) : pipeline.default;
  if (wantedTargets.length === 0)
    return close(graph, { tasks: graph.tasks, expansions: graph.expansions }, []);
  const tasks = new Set<Task>();
  const expansions = new Set<PendingExpansion>();
  const unmatched: Target[] = [];
  for (const target of wantedTargets) {
    const wanted = match(graph, target.text, typed ? cwd : "");
    const [moreTasks, moreExpansions] = [[...wanted.tasks], [...wanted.expansions]];
    if (moreTasks.length + moreExpansions.length === 0) unmatched.push(target);
    for (const task of moreTasks) tasks.add(task);
    for (const expansion of moreExpansions) expansions.add(expansion);
  }
  return close(graph, { tasks, expansions }, unmatched);
}

/** The nearest name to a target that matched nothing: a rule, a task id, or an output as typed in `cwd`. */
export function suggest(graph: Graph, target: string, cwd: string): string | undefined {
  const rules = [...graph.pipeline.rules.keys()];
  const asTyped = (path: string): string =>
    cwd === "" ? path : posix.relative(cwd, path) + (path.endsWith("/") ? "/" : "");
  if (cwd !== "" && graph.producer(target)) return asTyped(target);
  const tasks = graph.tasks.flatMap(({ id, outputs }) => [id, ...outputs.map(({ path }) => asTyped(path))]);
  return nearest(target, rules) ?? nearest(target, tasks, 0.2);
}

function match(graph: Graph, target: string, cwd: string): Wanted {
  const { rules, root } = graph.pipeline;
  const rule = rules.get(target);
  if (rule) return ofRule(graph, (name) => name === target);
  const task = graph.task(target);
  if (task) return { tasks: [task], expansions: [] };
  const named = expansionsOfId(graph, target);
  if (named.length > 0) return { tasks: [], expansions: named };
  const pattern = new TargetPattern(root, target, cwd);
  const exact = ofPath(graph, pattern.path);
  if (exact) return exact;
  return pattern.isGlob ? ofGlob(graph, pattern) : { tasks: [], expansions: [] };
}

function ofPath(graph: Graph, path: string): Wanted | null {
  const producer = graph.producer(path) ?? graph.producer(`${path.replace(/\/$/, "")}/`);
  if (producer) return { tasks: [producer], expansions: [] };
  const directory = path === "" || path.endsWith("/") ? path : `${path}/`;
  const tasks = graph.producersUnder(directory);
  const expansions = [
    ...graph.expansionsFor(directory),
    ...(directory === path ? [] : graph.expansionsFor(path)),
  ];
  return tasks.length + expansions.length > 0 ? { tasks, expansions } : null;
}

function ofRule(graph: Graph, matches: (rule: string) => boolean): Wanted {
  return {
    tasks: graph.tasks.filter(({ rule }) => matches(rule.name)),
    expansions: graph.expansions.filter(({ rule }) => matches(rule.name)),
  };
}

/** Pending expansions that may bring a task with this id. */
function expansionsOfId(graph: Graph, id: string): readonly PendingExpansion[] {
  if (!hasValues(id)) return [];
  return graph.expansions.filter((expansion) => id.startsWith(knownPart(expansion.id)));
}

function ofGlob(graph: Graph, pattern: TargetPattern): Wanted {
  const { text, path } = pattern;
  const tasks = graph.tasks.filter(
    ({ id, outputs }) =>
      pattern.matchesTask(id) || outputs.some((output) => pattern.matchesOutput(output.path)),
  );
  const expansions = new Set(graph.expansionsLike(patternOf(path)));
  for (const expansion of graph.expansions)
    if (pattern.matchesRule(expansion.rule.name) || (hasValues(text) && mayName(text, expansion)))
      expansions.add(expansion);
  if (tasks.length + expansions.size > 0) return { tasks, expansions };
  // A glob that matches nothing known may be meant for ids that are not known yet.
  return { tasks, expansions: graph.expansions.filter((expansion) => mayName(text, expansion)) };
}

/**
 * Whether a glob may match the id of a task of a pending expansion. Compares only the letters before the first
 * wildcard.
 */
function mayName(pattern: string, expansion: PendingExpansion): boolean {
  const letters = /^[^*?[\]{}()!+@|\\]*/.exec(pattern)?.[0] ?? "";
  const known = knownPart(expansion.id);
  return letters.startsWith(known) || known.startsWith(letters);
}

function patternOf(glob: string): PathPattern {
  const { base } = picomatch.scan(glob);
  const after = /[^*?[\]{}()!+@|\\/]*$/.exec(glob)?.[0] ?? "";
  const deep = glob.includes("**") || glob.includes("(") || glob.endsWith("/");
  return {
    before: base === "" ? "" : `${base}/`,
    after,
    depth: deep ? Infinity : glob.split("/").length - 1,
  };
}

/** Adds the tasks and expansions that the wanted ones need, as far as the graph knows them now. */
function close(graph: Graph, wanted: Wanted, unmatched: readonly Target[]): Selected {
  // Mark tasks by their index, because a set of tasks would cost a lookup for every edge.
  const inside = new Uint8Array(graph.tasks.length);
  const expansions = new Set<PendingExpansion>();
  const open: (Task | PendingExpansion)[] = [];
  const add = (nodes: Iterable<Task | PendingExpansion>) => {
    for (const node of nodes) {
      if ("file" in node) {
        if (expansions.size === expansions.add(node).size) continue;
      } else {
        if (inside[node.index] === 1) continue;
        inside[node.index] = 1;
      }
      open.push(node);
    }
  };
  add(wanted.tasks);
  add(wanted.expansions);
  for (let node = open.pop(); node; node = open.pop()) {
    for (const file of graph.origins(node)) add(makers(graph, file));
    if ("file" in node) add(makers(graph, node.file));
    else {
      const needs = graph.needs(node);
      add(needs.tasks);
      add(needs.expansions);
    }
  }
  const tasks = new Set(graph.tasks.filter(({ index }) => inside[index] === 1));
  return { tasks, named: new Set(wanted.tasks), expansions, unmatched };
}

function makers(graph: Graph, file: string): readonly (Task | PendingExpansion)[] {
  const producer = graph.producer(file);
  return producer ? [producer] : graph.expansionsFor(file);
}
