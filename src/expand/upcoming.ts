/** Finds the tasks that a build will need after its graph has expanded, as far as the known paths show. */
import type { PendingExpansion, Task } from "../model/model.ts";
import type { TaskGraph } from "./task-graph.ts";
import type { PathPattern } from "./pending.ts";

/**
 * The expansions, and all tasks that they may need, directly or through other tasks, in the order of the graph. An
 * expansion may bring no task at all. So use this only to report mistakes early, never to decide what runs.
 */
export function upcoming(
  graph: TaskGraph,
  expansions: Iterable<PendingExpansion>,
): { readonly tasks: readonly Task[]; readonly expansions: readonly PendingExpansion[] } {
  const tasks = new Set<Task>();
  const expanded = new Set(expansions);
  const open: (Task | PendingExpansion)[] = [...expanded];
  const add = (nodes: Iterable<Task | PendingExpansion>) => {
    for (const node of nodes) {
      const known: Set<Task | PendingExpansion> = "file" in node ? expanded : tasks;
      if (known.size < known.add(node).size) open.push(node);
    }
  };
  for (let node = open.pop(); node; node = open.pop()) {
    if ("file" in node) {
      add(makersOf(graph, node.file));
      for (const read of graph.readsOf(node))
        add(typeof read === "string" ? makersOf(graph, read) : makersLike(graph, read));
    } else {
      const needs = graph.needs(node);
      add(needs.tasks);
      add(needs.expansions);
    }
  }
  return { tasks: [...tasks].sort((a, b) => a.index - b.index), expansions: [...expanded] };
}

function makersOf(graph: TaskGraph, path: string): readonly (Task | PendingExpansion)[] {
  const producer = graph.producer(path);
  if (producer) return [producer];
  return [...(path.endsWith("/") ? graph.producersUnder(path) : []), ...graph.expansionsFor(path)];
}

function makersLike(graph: TaskGraph, pattern: PathPattern): readonly (Task | PendingExpansion)[] {
  const { before, after } = pattern;
  const makes = ({ outputs }: Task) =>
    outputs.some(({ path }) => path.startsWith(before) && path.endsWith(after));
  return [...graph.tasks.filter(makes), ...graph.expansionsLike(pattern)];
}
