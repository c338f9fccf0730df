import type { Span } from "../model/errors.ts";
import type { Task } from "../model/model.ts";

/** The place of a task's input or output in the pipeline. */
export function spanOf(task: Task, side: "inputs" | "outputs", path: string): Span {
  const found = task[side].findIndex((item) => item.path === path);
  const role = task[side][found]?.role;
  const declaration = task.rule[side].find((each) => each.role === role) ?? task.rule[side][0];
  const before = task[side].slice(0, Math.max(0, found)).filter((item) => item.role === role).length;
  return (declaration?.paths[before] ?? declaration?.paths[0])?.span ?? task.rule.span;
}
