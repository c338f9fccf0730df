/**
 * What stands behind an output: the runs on record that made it, what they read, and so on down to the sources.
 * Tasks of one rule that feed the same reader are told as one step, so that a training on 4,000 cases is a few lines.
 */
import type { Session } from "../build/session.ts";
import type { RecipeInput } from "../fingerprint/recipe.ts";
import type { Build } from "../history/builds.ts";
import { lastRuns } from "../history/builds.ts";
import type { Json, Task } from "../model.ts";
import type { Action } from "../record/action.ts";

export interface Step {
  readonly rule: string;
  readonly tasks: readonly TracedTask[];
  /** The module or command, of the first task. */
  readonly code: { readonly name: string; readonly digest: string; readonly files: number } | null;
  /** Params by where they come from, with the values that the tasks had (one, where all had the same). */
  readonly params: readonly { readonly name: string; readonly values: readonly Json[] }[];
  /** Files that no task made. */
  readonly sources: readonly { readonly path: string; readonly digest: string }[];
  readonly from: readonly Step[];
  /** Whether the tasks were told of before, higher up or to the side; then only their names are given. */
  readonly seen: boolean;
}

export interface TracedTask {
  readonly task: string;
  readonly outputs: readonly string[];
  readonly key: string | null;
  /** Null where the history goes not so far back. */
  readonly build: number | null;
  /** Milliseconds since 1970; null if nothing is on record of a run. */
  readonly finished: number | null;
  readonly seconds: number | null;
  readonly devices: readonly string[];
}

/** @param paths the inputs of the task to follow; all by default */
export function lineage(
  session: Pick<Session, "graph" | "state" | "store">,
  builds: Iterable<Build>,
  task: Task,
  paths?: readonly string[],
): Step {
  const runs = lastRuns(builds);
  const told = new Set<Task>();
  const { graph, state, store } = session;

  const actionOf = ({ id }: Task): Action | undefined => {
    const key = state.last(id)?.key;
    return typeof key === "string" ? store.action(key) : undefined;
  };
  const traced = ({ id, outputs }: Task): TracedTask => {
    const last = state.last(id);
    const known = runs.get(id);
    const isThat = known !== undefined && known.run.key === last?.key;
    return {
      task: id,
      outputs: outputs.map(({ path }) => path),
      key: last?.key ?? null,
      build: isThat ? known.build.number : null,
      finished: last?.finished ?? null,
      seconds: last?.seconds ?? null,
      devices: isThat ? known.run.devices : [],
    };
  };
  const step = (tasks: readonly Task[], only?: readonly string[]): Step => {
    const fresh = tasks.filter((each) => !told.has(each));
    for (const each of fresh) told.add(each);
    const actions = fresh.flatMap((each) => actionOf(each) ?? []);
    const read = fresh.flatMap((each) => inputsOf(each, actionOf(each), graph.origins(each)));
    const wanted = read.filter(({ path }) => only === undefined || only.includes(path));
    const makers = new Map<string, Set<Task>>();
    const sources = new Map<string, string>();
    for (const { path, digest } of wanted) {
      const maker = graph.producer(path);
      if (maker === undefined) sources.set(path, digest);
      else makers.set(maker.rule.name, (makers.get(maker.rule.name) ?? new Set()).add(maker));
    }
    return {
      rule: tasks[0]?.rule.name ?? "",
      tasks: tasks.map(traced),
      code: codeOf(fresh[0], actions[0]),
      params: paramsOf(actions),
      sources: [...sources].map(([path, digest]) => ({ path, digest })),
      from: [...makers.values()].map((group) => step([...group])),
      seen: fresh.length === 0,
    };
  };
  return step([task], paths);
}

/**
 * Every file that the run read, by path, and the files that said that there is such a task. Of those of which only
 * the name counted, the digest is empty.
 */
function inputsOf(
  task: Task,
  action: Action | undefined,
  origins: readonly string[],
): readonly { readonly path: string; readonly digest: string }[] {
  const read: readonly Pick<RecipeInput, "path" | "digest" | "entries" | "names">[] =
    action?.recipe.inputs ?? task.inputs.map(({ path }) => ({ path, digest: "" }));
  return [
    ...read.flatMap(({ path, digest, entries, names }) => {
      if (names !== undefined) return names.map((name) => ({ path: path + name, digest: "" }));
      if (entries !== undefined)
        return entries.map((each) => ({ path: path + each.name, digest: each.digest }));
      return [{ path, digest }];
    }),
    ...origins.map((path) => ({ path, digest: "" })),
  ];
}

function codeOf(task: Task | undefined, action: Action | undefined): Step["code"] {
  const made = action?.recipe.action;
  if (made === undefined) return null;
  if (made.kind === "cmd") return { name: made.argv.at(-1) ?? "", digest: "", files: 0 };
  const { digest, files } = made.code;
  // The recipe has all files alike; which of them is the module the rule says.
  const declared = task?.rule.action;
  const name = declared?.kind === "run" ? declared.module : (files[0]?.path ?? "");
  return { name, digest, files: files.length };
}

function paramsOf(actions: readonly Action[]): Step["params"] {
  const values = new Map<string, Map<string, Json>>();
  for (const { recipe } of actions)
    for (const [name, { value, origin }] of Object.entries(recipe.params)) {
      const label = origin ?? name;
      const own = values.get(label) ?? new Map<string, Json>();
      values.set(label, own.set(JSON.stringify(value), value));
    }
  return [...values].map(([name, own]) => ({ name, values: [...own.values()] }));
}
