/** Finds the tasks around one task: those within two steps before and after it, grouped by rule. */
import { UserError } from "../../model/errors.ts";
import type { Task } from "../../model/model.ts";
import type { Inspection } from "../inspect-project.ts";
import type { NeighbourhoodView, NeighbourView } from "../messages.ts";

/** How many steps to go each way. */
const STEPS = 2;
/** How many nodes the answer has at most. */
const MOST = 200;

/** @throws UserError if there is no such task */
export function neighbourhoodView(inspection: Inspection, id: string): NeighbourhoodView {
  const { graph } = inspection.session;
  const centre = graph.task(id);
  if (centre === undefined) throw new UserError(`the graph has no task ${id}, as far as it is known now`);
  const before = groupsAround(centre, (task) => graph.dependencies(task));
  const after = groupsAround(centre, (task) => inspection.readers(task));
  const groups = [...before, ...after].slice(0, MOST / 2);
  // Each group may have one node more, which stands for the rest of it.
  const each = Math.max(1, Math.floor((MOST - 1) / Math.max(1, groups.length)) - 1);
  const nodes: NeighbourView[] = [{ id, state: inspection.stateOf(id), rule: centre.rule.name, more: 0 }];
  const nodeOf = new Map<Task, number>([[centre, 0]]);
  for (const tasks of groups) {
    const fresh = tasks.filter((task) => !nodeOf.has(task));
    for (const task of fresh.slice(0, each)) {
      nodeOf.set(task, nodes.length);
      nodes.push({ id: task.id, state: inspection.stateOf(task.id), rule: task.rule.name, more: 0 });
    }
    const rest = fresh.slice(each);
    const [first] = rest;
    if (first === undefined) continue;
    for (const task of rest) nodeOf.set(task, nodes.length);
    nodes.push({ id: first.id, state: null, rule: first.rule.name, more: rest.length });
  }
  const edges = new Map<string, readonly [number, number]>();
  for (const [task, to] of nodeOf)
    for (const maker of graph.dependencies(task)) {
      const from = nodeOf.get(maker);
      if (from !== undefined && from !== to) edges.set(`${from} ${to}`, [from, to]);
    }
  return { nodes, edges: [...edges.values()] };
}

/** The tasks of each step, grouped by rule. */
function groupsAround(centre: Task, next: (task: Task) => readonly Task[]): readonly (readonly Task[])[] {
  const seen = new Set([centre]);
  const groups: Task[][] = [];
  let ring: readonly Task[] = [centre];
  for (let step = 0; step < STEPS; step++) {
    const found = new Set(ring.flatMap((task) => next(task).filter((each) => !seen.has(each))));
    const byRule = new Map<string, Task[]>();
    for (const task of found) {
      seen.add(task);
      const own = byRule.get(task.rule.name);
      if (own === undefined) byRule.set(task.rule.name, [task]);
      else own.push(task);
    }
    groups.push(...byRule.values());
    ring = [...found];
  }
  return groups;
}
