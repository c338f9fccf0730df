/**
 * Merges lq.lock task by task. Git by itself merges lines, and conflicts also where one branch adds or removes a task
 * right before one that the other rebuilt, or both add one at the same place.
 */
import { lineOf, type LockedTask } from "./lockfile.ts";

type Tasks = ReadonlyMap<string, LockedTask>;

export interface Merged {
  readonly text: string;
  /** Ids of tasks that both sides changed, each in its own way: they stand between git's markers. */
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
