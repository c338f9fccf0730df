/** What a build refuses before anything runs. */
import type { Task } from "../model.ts";
import { UserError, type Diagnostic } from "../errors.ts";
import { taskEnvironment } from "../execute/environment.ts";
import { paramValues } from "../execute/execute.ts";
import type { WorkerPool } from "../execute/pool.ts";
import { canonicalJson } from "../fingerprint/canonical.ts";
import { editedOutputs } from "./evaluate.ts";
import type { Session } from "./session.ts";

/** @throws UserError naming every output of these tasks that was edited since lq wrote it */
export function refuseEdited(session: Session, tasks: Iterable<Task>): void {
  const diagnostics: Diagnostic[] = [];
  for (const task of tasks)
    for (const path of editedOutputs(session, task)) diagnostics.push(editedMessage(task, path));
  if (diagnostics.length > 0) throw new UserError(diagnostics);
}

export function editedMessage(task: Task, path: string): Diagnostic {
  return {
    message: `${path} was edited since lq wrote it, and ${task.id} would overwrite it`,
    hint: "to keep the edit, copy the file elsewhere first; build with -f to overwrite it",
  };
}

/** @throws UserError with every param of these tasks that their modules do not accept */
export async function refuseBadParams(
  { code }: Session,
  pool: WorkerPool,
  tasks: Iterable<Task>,
): Promise<void> {
  const diagnostics: Diagnostic[] = [];
  for (const [module, byParams] of groupByModule(tasks)) {
    const distinct = [...byParams.values()];
    const [first] = distinct;
    if (first === undefined) continue;
    const env = taskEnvironment([], first.rule.slots.cpu, first.env);
    const file = { name: module, bundle: await code.bundle(module) };
    const issues = await pool.validate(file, distinct.map(paramValues), env).catch((error: unknown) => {
      throw new UserError({
        message: error instanceof Error ? error.message : String(error),
        span: first.rule.action.span,
      });
    });
    for (const [i, task] of distinct.entries())
      for (const { path, message } of issues[i] ?? []) diagnostics.push(paramMessage(task, path, message));
  }
  if (diagnostics.length > 0) throw new UserError(onceARule(diagnostics));
}

function groupByModule(tasks: Iterable<Task>): ReadonlyMap<string, ReadonlyMap<string, Task>> {
  const modules = new Map<string, Map<string, Task>>();
  for (const task of tasks) {
    const { action } = task.rule;
    if (action.kind !== "run") continue;
    const byParams = modules.get(action.module) ?? new Map<string, Task>();
    modules.set(action.module, byParams);
    const params = canonicalJson(paramValues(task));
    if (!byParams.has(params)) byParams.set(params, task);
  }
  return modules;
}

function paramMessage({ id, rule, params }: Task, path: string, message: string): Diagnostic {
  const [name = ""] = path.split(".");
  const origin = params[name]?.origin;
  const from = origin == null ? "" : ` (from params ${origin})`;
  return {
    message: `${id}: param ${path || "values"}${from}: ${message}`,
    span: rule.with.get(name)?.span ?? rule.span,
  };
}

/** Tasks of one rule fail alike: the first of them speaks for all. */
function onceARule(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ message, span }) => {
    const what = `${span?.file}:${span?.start} ${message.slice(message.indexOf(": param"))}`;
    return seen.size < seen.add(what).size;
  });
}
