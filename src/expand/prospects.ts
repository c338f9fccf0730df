/** What a build will need as soon as its graph has grown, as far as the paths that are known already tell. */
import type { Growth, Task } from "../model/model.ts";
import type { Graph } from "./graph.ts";
import type { PathPattern } from "./pending.ts";

/**
 * The growths, and what the tasks that they may become would need, directly or through others; tasks in the order
 * of the graph. A growth may become nothing: this serves to tell a person of mistakes early and decides nothing.
 */
export function prospects(
  graph: Graph,
  growths: Iterable<Growth>,
): { readonly tasks: readonly Task[]; readonly growths: readonly Growth[] } {
  const tasks = new Set<Task>();
  const grown = new Set(growths);
  const open: (Task | Growth)[] = [...grown];
  const add = (nodes: Iterable<Task | Growth>) => {
    for (const node of nodes) {
      const known: Set<Task | Growth> = "file" in node ? grown : tasks;
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
      add(needs.growths);
    }
  }
  return { tasks: [...tasks].sort((a, b) => a.index - b.index), growths: [...grown] };
}

function makersOf(graph: Graph, path: string): readonly (Task | Growth)[] {
  const producer = graph.producer(path);
  if (producer) return [producer];
  return [...(path.endsWith("/") ? graph.producersUnder(path) : []), ...graph.growthsFor(path)];
}

function makersLike(graph: Graph, pattern: PathPattern): readonly (Task | Growth)[] {
  const { before, after } = pattern;
  const makes = ({ outputs }: Task) =>
    outputs.some(({ path }) => path.startsWith(before) && path.endsWith(after));
  return [...graph.tasks.filter(makes), ...graph.growthsLike(pattern)];
}
