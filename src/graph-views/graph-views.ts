/** Writes the graph as text that other programs can draw: Graphviz, Mermaid, JSON. */
import type { Graph } from "../expand/graph.ts";
import type { Task } from "../model/model.ts";
import { printableLine } from "../report/printable.ts";
import type { Selected } from "../select/select.ts";

export interface Drawing {
  readonly nodes: readonly { readonly id: string; readonly label: string }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

/** One node for each task. Edges go to a task from those that make what it, or its axes, are read from. */
export function byTask(graph: Graph, tasks: Iterable<Task>): Drawing {
  const shown = new Set(tasks);
  return {
    nodes: [...shown].map(({ id }) => ({ id, label: id })),
    edges: [...shown].flatMap((task) =>
      [...before(graph, task)]
        .filter((other) => shown.has(other))
        .map((other) => ({ from: other.id, to: task.id })),
    ),
  };
}

/** One node for each rule, with its number of tasks. */
export function byRule(graph: Graph, tasks: Iterable<Task>): Drawing {
  const counts = new Map<string, number>();
  const edges = new Map<string, { from: string; to: string }>();
  for (const task of tasks) {
    counts.set(task.rule.name, (counts.get(task.rule.name) ?? 0) + 1);
    for (const { rule } of before(graph, task)) {
      edges.set(`${rule.name}\0${task.rule.name}`, { from: rule.name, to: task.rule.name });
    }
  }
  return {
    nodes: [...counts].map(([id, n]) => ({ id, label: n === 1 ? id : `${id} (${n})` })),
    edges: [...edges.values()],
  };
}

/** The tasks that make what a task reads, and the files that its axis values were read from. */
function before(graph: Graph, task: Task): ReadonlySet<Task> {
  const origins = graph.origins(task).flatMap((file) => graph.producer(file) ?? []);
  return new Set([...graph.dependencies(task), ...origins]);
}

export function toDot({ nodes, edges }: Drawing): string {
  const quote = (text: string) => `"${printableLine(text).replace(/["\\]/g, "\\$&")}"`;
  // Graphviz reads HTML entities in labels, but not in names.
  const readable = (text: string) => quote(text.replaceAll("&", "&amp;"));
  return [
    "digraph lq {",
    "  rankdir=LR;",
    "  node [shape=box, fontname=Helvetica];",
    ...nodes.map(({ id, label }) => `  ${quote(id)} [label=${readable(label)}];`),
    ...edges.map(({ from, to }) => `  ${quote(from)} -> ${quote(to)};`),
    "}",
  ].join("\n");
}

export function toMermaid({ nodes, edges }: Drawing): string {
  const names = new Map(nodes.map(({ id }, i) => [id, `n${i}`]));
  // Escape what Mermaid, or the HTML page around it, would read as markup.
  const quote = (text: string) =>
    `"${printableLine(text).replace(/[#"\\`<>&]/g, (sign) => `#${sign.charCodeAt(0)};`)}"`;
  return [
    "flowchart LR",
    ...nodes.map(({ id, label }) => `  ${names.get(id) ?? ""}[${quote(label)}]`),
    ...edges.map(({ from, to }) => `  ${names.get(from) ?? ""} --> ${names.get(to) ?? ""}`),
  ].join("\n");
}

/** Tasks with their inputs, outputs and dependencies. Pending expansions may add tasks when their files are made. */
export function toJson(graph: Graph, { tasks, expansions }: Selected): string {
  return JSON.stringify({
    type: "graph",
    tasks: [...tasks].map((task) => ({
      id: task.id,
      rule: task.rule.name,
      inputs: task.inputs.map(({ path }) => path),
      outputs: task.outputs.map(({ path }) => path),
      needs: graph.dependencies(task).map(({ id }) => id),
    })),
    expansions: [...expansions].map(({ id, file }) => ({ id, file })),
  });
}
