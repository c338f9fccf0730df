/** Expected durations of tasks: the recorded duration, or the mean of the rule. */
import type { Task } from "../model/model.ts";
import type { State } from "../state/state.ts";

/** Seconds to expect of a task when no task of its rule has run. */
export const UNKNOWN = 1;

export interface Expected {
  readonly seconds: number;
  readonly from: "record" | "rule" | "nothing";
}

/** @param tasks the means come from the records of these tasks */
export function expectedSeconds(state: State, tasks: Iterable<Task>): (task: Task) => number {
  const expect = expectations(state, tasks);
  return (task) => expect(task).seconds;
}

/** Like `expectedSeconds`, and says where each number comes from. */
export function expectations(state: State, tasks: Iterable<Task>): (task: Task) => Expected {
  const means = meanSeconds(state, tasks);
  return ({ id, rule }) => {
    const recorded = state.seconds(id);
    if (recorded !== undefined) return { seconds: recorded, from: "record" };
    const mean = means.get(rule.name);
    return mean === undefined ? { seconds: UNKNOWN, from: "nothing" } : { seconds: mean, from: "rule" };
  };
}

/** Mean seconds of the tasks that have run before, by rule. */
export function meanSeconds(
  state: Pick<State, "seconds">,
  tasks: Iterable<Task>,
): ReadonlyMap<string, number> {
  const rules = new Map<string, { sum: number; count: number }>();
  for (const { id, rule } of tasks) {
    const seconds = state.seconds(id);
    if (seconds === undefined) continue;
    const { sum, count } = rules.get(rule.name) ?? { sum: 0, count: 0 };
    rules.set(rule.name, { sum: sum + seconds, count: count + 1 });
  }
  return new Map([...rules].map(([rule, { sum, count }]) => [rule, sum / count]));
}
