/** Refuses missing environments, commands that are too long, and bad params before anything runs. */
import { UserError, type Diagnostic } from "../model/errors.ts";
import { tooLong } from "../execute/argument-limits.ts";
import { taskEnvironment } from "../execute/environment.ts";
import { paramValues } from "../execute/program.ts";
import type { WorkerPool } from "../execute/pool.ts";
import { canonicalJson } from "../fingerprint/canonical.ts";
import { pathsOfRole, renderCommand } from "../fingerprint/render-command.ts";
import { bindValue } from "../expand/bind.ts";
import { UNKNOWN } from "../expand/fanout.ts";
import { paramSpan } from "../load/locate-param.ts";
import type { Pipeline, Rule, Task, TemplateValue } from "../model/model.ts";
import type { Session } from "../session/session.ts";

/** @throws UserError with every environment of these tasks that does not exist */
export function refuseMissingEnvironments({ environments }: Session, tasks: Iterable<Task>): void {
  const diagnostics: Diagnostic[] = [];
  for (const rule of new Set([...tasks].map((task) => task.rule)))
    try {
      environments.of(rule);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      diagnostics.push(...error.diagnostics);
    }
  const places = new Map(diagnostics.map((each) => [`${each.message} ${each.span?.start ?? ""}`, each]));
  if (places.size > 0) throw new UserError([...places.values()]);
}

/** @throws UserError with every `longCommands` of these tasks */
export function refuseLongCommands(tasks: Iterable<Task>): void {
  const diagnostics = longCommands(tasks);
  if (diagnostics.length > 0) throw new UserError(diagnostics);
}

/** Each rule whose command is a list with more text than the system passes to a program. */
export function longCommands(tasks: Iterable<Task>): readonly Diagnostic[] {
  const diagnostics = new Map<Rule, Diagnostic>();
  for (const task of tasks) {
    const { action, rule } = task;
    if (action.kind !== "cmd" || "parts" in action.command || diagnostics.has(rule)) continue;
    const words = renderCommand(action.command, {
      in: pathsOfRole(task.inputs),
      out: pathsOfRole(task.outputs),
      scratch: "",
    });
    const message = tooLong(words, process.env);
    if (message !== null)
      diagnostics.set(rule, { message: `${task.id} cannot start: ${message}`, span: rule.action.span });
  }
  return [...diagnostics.values()];
}

/**
 * @throws the signal's reason if the signal aborts
 * @throws UserError with every param of these tasks (or samples of expansions) that their modules do not accept
 */
export async function refuseBadParams(
  { code, environments, graph, hashing: { signal } }: Session,
  pool: WorkerPool,
  tasks: Iterable<Task>,
): Promise<void> {
  const diagnostics: Diagnostic[] = [];
  for (const [module, byParams] of groupByModule(tasks)) {
    const distinct = [...byParams.values()];
    const [first] = distinct;
    if (first === undefined) continue;
    const env = taskEnvironment([], first.rule.slots.cpu, first.env, environments.of(first.rule).variables);
    const file = { name: module, bundle: await code.bundle(module) };
    const issues = await pool
      .validate(file, distinct.map(paramValues), env, signal)
      .catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new UserError({
          message: error instanceof Error ? error.message : String(error),
          span: first.rule.action.span,
        });
      });
    for (const [i, task] of distinct.entries())
      for (const { path, message } of issues[i] ?? [])
        if (isKnown(task, path)) diagnostics.push(paramMessage(graph.pipeline, task, path, message));
  }
  if (diagnostics.length > 0) throw new UserError(firstOfEachRule(diagnostics));
}

/** Whether lq knows the value of this param. In a sample of an expansion, the values of the open axes are unknown. */
function isKnown({ params }: Task, path: string): boolean {
  const value = params[path.split(".")[0] ?? ""]?.value;
  return value === undefined || !JSON.stringify(value).includes(JSON.stringify(UNKNOWN).slice(1, -1));
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

function paramMessage(pipeline: Pipeline, task: Task, path: string, message: string): Diagnostic {
  const { id, rule } = task;
  const keys = path.split(".");
  const origin = originOf(pipeline, task, keys);
  const from = origin === null ? "" : ` (from params ${origin.join(".")})`;
  const [name = ""] = keys;
  const given = rule.with.get(name);
  const span = (origin && paramSpan(pipeline, origin)) ?? given?.span ?? rule.span;
  const names = [...rule.with.keys()].join(", ");
  const hint =
    given || name === "" ? "" : `the rule's "with" has ${names === "" ? "nothing" : `only ${names}`}`;
  return {
    message: `${id}: param ${path || "values"}${from}: ${message}`,
    span,
    ...(hint && { hint }),
  };
}

/** The path in the params that a value of `with:` comes from, at any depth; null if the rule itself gives the value. */
function originOf(pipeline: Pipeline, { rule, bindings }: Task, keys: readonly string[]): string[] | null {
  const [name = "", ...rest] = keys;
  let value = rule.with.get(name)?.value;
  for (let key = rest[0]; value && key !== undefined; key = rest[0]) {
    const inner: TemplateValue | undefined =
      value.kind === "map"
        ? value.entries.get(key)
        : value.kind === "list"
          ? value.items[Number(key)]
          : undefined;
    if (!inner) break;
    value = inner;
    rest.shift();
  }
  if (!value) return null;
  const names = { axes: rule.each.map((each) => each.name), params: pipeline.params };
  const { origin } = bindValue(value, names)(bindings);
  return origin === null ? null : [...origin.split("."), ...rest];
}

/** Keeps the first of the messages that differ only in the task: tasks of one rule often fail in the same way. */
function firstOfEachRule(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ message, span }) => {
    const what = `${span?.file}:${span?.start} ${message.slice(message.indexOf(": param"))}`;
    return seen.size < seen.add(what).size;
  });
}
