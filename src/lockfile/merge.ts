/**
 * Merges lq.lock task by task. Git alone merges lines. It also reports a conflict if one branch adds or removes a task
 * right before one that the other branch rebuilt, or if both add a task at the same place.
 */
import { lineOf, type LockedTask } from "./lockfile.ts";

type Tasks = ReadonlyMap<string, LockedTask>;

export interface Merged {
  readonly text: string;
  /** Ids of tasks that both sides changed differently; these lines are between git's markers. */
  readonly conflicts: readonly string[];
}

export function mergeLocks(base: Tasks, ours: Tasks, theirs: Tasks): Merged {
  const conflicts: string[] = [];
  const parts = [...new Set([...ours.keys(), ...theirs.keys()])].sort().flatMap((id) => {
    const [was, mine, other] = [base, ours, theirs].map((side) => sideOf(side, id));
    if (mine === other || other === was) return mine ?? [];
    if (mine === was) return other ?? [];
    conflicts.push(id);
    return `<<<<<<< ours\n${mine ?? ""}=======\n${other ?? ""}>>>>>>> theirs\n`;
  });
  return { text: parts.join("\n"), conflicts };
}

function sideOf(tasks: Tasks, id: string): string | undefined {
  const task = tasks.get(id);
  return task && lineOf(id, task);
}
