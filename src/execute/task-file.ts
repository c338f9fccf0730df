/** Writes LQ_TASK_FILE, a JSON file in which a command or script can read its task (docs/reference/tasks.md). */
import { writeFileSync } from "node:fs";
import type { Declaration, Task, TaskPath } from "../model/model.ts";
import type { Attempt } from "./attempt.ts";
import type { ParamValues } from "./worker-messages.ts";

interface Role {
  readonly list: boolean;
  /** Relative to the project, where commands run. */
  readonly paths: readonly string[];
}

/**
 * @param params by name
 * @param locate the path of an input or output for the task
 */
export function writeTaskFile(
  file: string,
  { id, rule, inputs, outputs }: Task,
  params: ParamValues,
  locate: (path: TaskPath) => string,
  { scratch, cpus, devices }: Pick<Attempt, "scratch" | "cpus" | "devices">,
): void {
  const roles = (declared: readonly Declaration[], paths: readonly TaskPath[]): { [role: string]: Role } =>
    Object.fromEntries(
      declared.map(({ role, list }) => {
        const own = paths.filter((path) => path.role === role);
        return [role, { list: list || own.length !== 1, paths: own.map(locate) }];
      }),
    );
  const content = {
    task: id,
    rule: rule.name,
    params,
    inputs: roles(rule.inputs, inputs),
    outputs: roles(rule.outputs, outputs),
    scratch,
    cpus,
    devices,
  };
  writeFileSync(file, JSON.stringify(content));
}
