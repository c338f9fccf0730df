/** Tasks (and growths) that wait for each other. */
import type { Span } from "../errors.ts";
import type { Growth, Task } from "../model.ts";
import type { Graph } from "./graph.ts";

export interface Cycle {
  /** The ids along the cycle, the first again at the end. */
  readonly names: readonly string[];
  readonly span: Span;
}

type Node = Task | Growth;

const MAX_CYCLES = 10;

/** Depth first, with its own stack: a chain may be longer than the engine's. */
export function findCycles(graph: Graph): readonly Cycle[] {
  const cycles: Cycle[] = [];
  const done = new Set<Node>();
  const open = new Set<Node>();
  for (const start of [...graph.tasks, ...graph.growths]) {
    if (done.has(start)) continue;
    const stack: { node: Node; needs: readonly Node[]; next: number }[] = [];
    const enter = (node: Node) => {
      open.add(node);
      stack.push({ node, needs: needsOf(graph, node), next: 0 });
    };
    enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const node = top.needs[top.next++];
      if (!node) {
        stack.pop();
        open.delete(top.node);
        done.add(top.node);
      } else if (open.has(node)) {
        const path = stack
          .slice(stack.findIndex((frame) => frame.node === node))
          .map((frame) => frame.node.id);
        cycles.push({ names: [...path, node.id], span: node.rule.span });
        if (cycles.length === MAX_CYCLES) return cycles;
      } else if (!done.has(node)) enter(node);
    }
  }
  return cycles;
}

function needsOf(graph: Graph, node: Node): readonly Node[] {
  if ("file" in node) {
    const producer = graph.producer(node.file);
    return producer ? [producer] : graph.growthsFor(node.file).filter((growth) => growth !== node);
  }
  const tasks = graph.dependencies(node);
  if (graph.growths.length === 0) return tasks;
  return [...tasks, ...node.inputs.flatMap(({ path }) => graph.growthsNeeded(path))];
}
