/** Finds how the runs of a target differ: in params, code and sources, of the target and of all tasks behind it. */
import type { Json, Task } from "../model/model.ts";
import type { Build } from "../history/builds.ts";
import { isDone } from "../history/lines.ts";
import type { Session } from "../session/session.ts";
import { RecordedRuns } from "./difference.ts";

export interface RunSettings {
  readonly task: string;
  readonly build: number;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly outcome: string;
  /** Those that differ between any two of the runs: params by their path; "code FILE" and "file PATH" with digests. */
  readonly settings: ReadonlyMap<string, Json>;
}

/** @param builds newest first */
export function settingsOfRuns(
  session: Pick<Session, "graph" | "state" | "store">,
  builds: readonly Build[],
  tasks: readonly Task[],
): readonly RunSettings[] {
  const runs = new RecordedRuns(session, builds);
  const found = tasks.flatMap((task) => {
    const behind = oneOfEachRule(session, task);
    return builds.flatMap(({ number, tasks: done }) =>
      done
        .filter((run) => run.task === task.id && isDone(run))
        .slice(-1)
        .map(({ started, outcome }) => {
          const settings = new Map<string, Json>();
          for (const each of behind) collect(session, runs, each, number, settings);
          return { task: task.id, build: number, started, outcome, settings };
        }),
    );
  });
  found.sort((a, b) => b.build - a.build);
  const differing = namesThatDiffer(found.map(({ settings }) => settings));
  return found.map((run) => ({
    ...run,
    settings: new Map(differing.map((name) => [name, run.settings.get(name) ?? null])),
  }));
}

/** The task, and the first task of each rule behind it, whose params represent those of the other tasks of its rule. */
function oneOfEachRule({ graph }: Pick<Session, "graph">, task: Task): readonly Task[] {
  const byRule = new Map([[task.rule, task]]);
  const seen = new Set([task]);
  // The loop also visits tasks that are added during the loop.
  for (const each of seen)
    for (const dependency of graph.dependencies(each)) {
      seen.add(dependency);
      if (!byRule.has(dependency.rule)) byRule.set(dependency.rule, dependency);
    }
  return [...byRule.values()];
}

function collect(
  { graph }: Pick<Session, "graph">,
  runs: RecordedRuns,
  task: Task,
  build: number,
  settings: Map<string, Json>,
): void {
  const recipe = runs.find(task, build)?.action.recipe;
  if (recipe === undefined) return;
  for (const [name, { value, origin }] of Object.entries(recipe.params))
    addLeaves(origin ?? `${task.rule.name}.${name}`, value, settings);
  for (const { path, digest } of recipe.action.code?.files ?? []) settings.set(`code ${path}`, short(digest));
  for (const { name, version } of recipe.action.code?.packages ?? [])
    settings.set(`package ${name}`, version);
  if (recipe.action.kind === "cmd") {
    const { argv, filled } = recipe.action;
    settings.set(`command ${task.rule.name}`, filled?.text ?? argv.at(-1) ?? "");
    for (const [path, value] of Object.entries(filled?.params ?? {})) addLeaves(path, value, settings);
  }
  for (const { path, digest } of recipe.inputs)
    if (graph.producer(path) === undefined && graph.producersUnder(path).length === 0)
      settings.set(`file ${path}`, short(digest));
}

function addLeaves(name: string, value: Json, settings: Map<string, Json>): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) settings.set(name, value);
  else for (const [key, inner] of Object.entries(value)) addLeaves(`${name}.${key}`, inner, settings);
}

function short(digest: string): string {
  return digest.slice(0, 8);
}

function namesThatDiffer(all: readonly ReadonlyMap<string, Json>[]): readonly string[] {
  const names = new Set(all.flatMap((settings) => [...settings.keys()]));
  return [...names]
    .filter((name) => new Set(all.map((settings) => JSON.stringify(settings.get(name)))).size > 1)
    .sort((a, b) => Number(/^\w+ /.test(a)) - Number(/^\w+ /.test(b)) || (a < b ? -1 : 1));
}
