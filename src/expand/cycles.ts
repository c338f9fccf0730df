/** Finds tasks and expansions that wait for each other. */
import type { Span } from "../model/errors.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import type { TaskGraph } from "./task-graph.ts";

export interface Cycle {
  /** The ids along the cycle, the first again at the end. */
  readonly names: readonly string[];
  readonly span: Span;
}

type Node = Task | PendingExpansion;

const MAX_CYCLES = 10;

/** Searches depth first. It keeps its own stack, because a chain of tasks may be longer than the call stack allows. */
export function findCycles(graph: TaskGraph): readonly Cycle[] {
  const cycles: Cycle[] = [];
  const marks = new Marks(graph);
  for (const start of [...graph.tasks, ...graph.expansions]) {
    if (marks.of(start) === DONE) continue;
    const stack: { node: Node; needs: readonly Node[]; next: number }[] = [];
    const enter = (node: Node) => {
      marks.set(node, OPEN);
      stack.push({ node, needs: needsOf(graph, node), next: 0 });
    };
    enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const node = top.needs[top.next++];
      if (!node) {
        stack.pop();
        marks.set(top.node, DONE);
        continue;
      }
      const mark = marks.of(node);
      if (mark === OPEN) {
        const path = stack
          .slice(stack.findIndex((frame) => frame.node === node))
          .map((frame) => frame.node.id);
        cycles.push({ names: [...path, node.id], span: node.rule.span });
        if (cycles.length === MAX_CYCLES) return cycles;
      } else if (mark !== DONE) enter(node);
    }
  }
  return cycles;
}

const OPEN = 1;
const DONE = 2;

/** The mark of each node: none before the search reaches it, OPEN while it is on the stack, then DONE. */
class Marks {
  readonly #tasks: Uint8Array;
  readonly #expansions = new Map<PendingExpansion, number>();

  constructor({ tasks }: TaskGraph) {
    this.#tasks = new Uint8Array(tasks.length);
  }

  of(node: Node): number | undefined {
    return "file" in node ? this.#expansions.get(node) : this.#tasks[node.index];
  }

  set(node: Node, mark: number): void {
    if ("file" in node) this.#expansions.set(node, mark);
    else this.#tasks[node.index] = mark;
  }
}

function needsOf(graph: TaskGraph, node: Node): readonly Node[] {
  if ("file" in node) {
    const producer = graph.producer(node.file);
    return producer ? [producer] : graph.expansionsFor(node.file).filter((expansion) => expansion !== node);
  }
  const { tasks, expansions } = graph.needs(node);
  return expansions.length === 0 ? tasks : [...tasks, ...expansions];
}
