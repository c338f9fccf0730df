/** How long tasks are expected to take: as recorded, or the average of their rule. */
import type { Task } from "../model/model.ts";
import type { State } from "../state/state.ts";

/** Seconds of a task of which nothing at all is known. */
export const UNKNOWN = 1;

export interface Expected {
  readonly seconds: number;
  readonly from: "record" | "rule" | "nothing";
}

/** @param tasks whose records make the averages */
export function expectedSeconds(state: State, tasks: Iterable<Task>): (task: Task) => number {
  const expect = expectations(state, tasks);
  return (task) => expect(task).seconds;
}

/** The same, saying what each expectation comes from. */
export function expectations(state: State, tasks: Iterable<Task>): (task: Task) => Expected {
  const rules = new Map<string, { sum: number; count: number }>();
  for (const { id, rule } of tasks) {
    const seconds = state.seconds(id);
    if (seconds === undefined) continue;
    const { sum, count } = rules.get(rule.name) ?? { sum: 0, count: 0 };
    rules.set(rule.name, { sum: sum + seconds, count: count + 1 });
  }
  return ({ id, rule }) => {
    const recorded = state.seconds(id);
    if (recorded !== undefined) return { seconds: recorded, from: "record" };
    const average = rules.get(rule.name);
    if (average === undefined) return { seconds: UNKNOWN, from: "nothing" };
    return { seconds: average.sum / average.count, from: "rule" };
  };
}
