/** Finds due tasks that can never start here, for want of slots or of an input, and the tasks behind them. */
import type { Task } from "../model/model.ts";
import { shortageOf, type Capacity } from "../schedule/capacity.ts";
import { reversed } from "../schedule/play.ts";
import type { Plan } from "./plan.ts";

export interface CannotRun {
  readonly rule: string;
  readonly tasks: number;
  /** "it asks for 1 GPU and there are 0"; where inputs are not there, those of the first task. */
  readonly why: string;
}

/** @param due may hold samples of tasks that a pending expansion brings */
export function findCannotRun(
  { verdicts }: Plan,
  due: readonly Task[],
  dependencies: (task: Task) => readonly Task[],
  capacity: Capacity,
): {
  readonly rules: readonly CannotRun[];
  readonly tasks: ReadonlySet<Task>;
  /** Tasks that wait for one of `tasks`, directly or through others. */
  readonly behind: ReadonlySet<Task>;
} {
  const rules = new Map<string, { rule: string; tasks: number; why: string }>();
  const tasks = new Set<Task>();
  for (const task of due) {
    const { name: rule, slots } = task.rule;
    const verdict = verdicts.get(task);
    const lacks = verdict?.state === "lacks-input" ? verdict.paths : [];
    const why = lacks.length > 0 ? `${lacks.join(", ")} is not there` : shortageOf(slots, capacity);
    if (why === null) continue;
    tasks.add(task);
    const cause = `${rule}:${lacks.length > 0 ? "inputs" : "slots"}`;
    const known = rules.get(cause);
    if (known) known.tasks += 1;
    else rules.set(cause, { rule, tasks: 1, why });
  }
  const consumers = tasks.size === 0 ? () => [] : reversed(due, dependencies);
  const behind = new Set<Task>();
  const open = [...tasks];
  for (let task = open.pop(); task !== undefined; task = open.pop())
    for (const consumer of consumers(task)) {
      if (tasks.has(consumer) || behind.has(consumer)) continue;
      behind.add(consumer);
      open.push(consumer);
    }
  return { rules: [...rules.values()], tasks, behind };
}
