/** Gives each task that is not settled a priority, from the expected durations. */
import type { Task } from "../model/model.ts";
import type { State } from "../state/state.ts";
import type { Capacity } from "../schedule/capacity.ts";
import { reversed } from "../schedule/play.ts";
import { priorities } from "../schedule/priorities.ts";
import type { Selected } from "../select/select.ts";
import { expectedSeconds } from "../plan/durations.ts";
import type { Frontier } from "../plan/frontier.ts";

/** @returns a number for each task that is not settled; the task with the highest starts first */
export function urgency(
  state: State,
  { tasks: known }: Selected,
  frontier: Frontier,
  capacity: Capacity,
): ReadonlyMap<Task, number> {
  const tasks = frontier.unsettled();
  const workload = {
    tasks,
    dependencies: reversed(tasks, (task) => frontier.consumers(task)),
    seconds: expectedSeconds(state, known),
    slots: ({ rule }: Task) => rule.slots,
  };
  return priorities(workload, capacity);
}
