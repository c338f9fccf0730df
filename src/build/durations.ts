/** How long tasks are expected to take: as recorded, or the average of their rule. */
import type { Task } from "../model.ts";
import type { State } from "../record/state.ts";

/** Seconds of a task of which nothing at all is known. */
const UNKNOWN = 1;

/** @param tasks whose records make the averages */
export function expectedSeconds(state: State, tasks: Iterable<Task>): (task: Task) => number {
  const rules = new Map<string, { sum: number; count: number }>();
  for (const { id, rule } of tasks) {
    const seconds = state.seconds(id);
    if (seconds === undefined) continue;
    const { sum, count } = rules.get(rule.name) ?? { sum: 0, count: 0 };
    rules.set(rule.name, { sum: sum + seconds, count: count + 1 });
  }
  return ({ id, rule }) => {
    const average = rules.get(rule.name);
    return state.seconds(id) ?? (average === undefined ? UNKNOWN : average.sum / average.count);
  };
}
