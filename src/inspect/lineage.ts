/**
 * Finds out where an output comes from: the recorded runs that made it, what they read, and so on down to the sources.
 * Tasks of one rule that feed the same reader form one step, so that a training on 4,000 cases takes only a few lines.
 */
import type { Session } from "../session/session.ts";
import { inNamesOf } from "../fingerprint/own-names.ts";
import type { Build } from "../history/builds.ts";
import type { Json, Task } from "../model/model.ts";
import type { Accepted, Action, StoredEntry } from "../store/action.ts";

export interface Step {
  readonly rule: string;
  readonly tasks: readonly TracedTask[];
  /** The module or command of the first task. */
  readonly code: { readonly name: string; readonly digest: string; readonly files: number } | null;
  /** Params by their origin, with the values in the tasks (one value if all tasks had the same). */
  readonly params: readonly { readonly name: string; readonly values: readonly Json[] }[];
  /** Files that no task makes. */
  readonly sources: readonly { readonly path: string; readonly digest: string }[];
  readonly from: readonly Step[];
  /** Whether the tree has these tasks already; then this step gives only their names. */
  readonly seen: boolean;
}

export interface TracedTask {
  readonly task: string;
  readonly outputs: readonly string[];
  readonly key: string | null;
  /** Null if the build is no longer in the history. */
  readonly build: number | null;
  /** Milliseconds since 1970; null if there is no recorded run. */
  readonly finished: number | null;
  readonly seconds: number | null;
  readonly devices: readonly string[];
  /** For accepted outputs: the key of the run that made them, and when they were accepted. Null: made under `key`. */
  readonly accepted: Accepted | null;
}

/** A task, and one of its recorded runs; undefined if there is none. */
interface Node {
  readonly task: Task;
  readonly action: Action | undefined;
}

/** @param paths the inputs of the task to follow; all by default */
export function lineage(
  session: Pick<Session, "graph" | "state" | "store">,
  builds: Iterable<Build>,
  task: Task,
  paths?: readonly string[],
): Step {
  const runs = runsOf(builds);
  const { graph, state, store } = session;

  const nodes = new Map<string, Node>();
  /** One object for each task and key, so that `followed` can hold it. */
  const nodeOf = (of: Task, key: string | null | undefined): Node => {
    const id = `${key ?? ""} ${of.id}`;
    let node = nodes.get(id);
    if (node === undefined) {
      const action = typeof key === "string" ? store.action(key) : undefined;
      node = { task: of, action: action && { ...action, recipe: inNamesOf(of, action.recipe) } };
      nodes.set(id, node);
    }
    return node;
  };
  const lastOf = (of: Task): Node => nodeOf(of, state.last(of.id)?.key);
  /**
   * The task that made an input, with the run that made it. If the reader has not run since, this is an earlier run.
   */
  const makerOf = (maker: Task, path: string, digest: string): Node => {
    const isIt = ({ action }: Node) =>
      action !== undefined && (digest === "" || digestIn(action, path) === digest);
    const last = lastOf(maker);
    if (isIt(last)) return last;
    const keys = new Set((runs.get(maker.id) ?? []).map(({ key }) => key));
    return [...keys].map((key) => nodeOf(maker, key)).find(isIt) ?? nodeOf(maker, null);
  };
  const traced = ({ task: { id, outputs }, action }: Node): TracedTask => {
    const accepted = action?.accepted ?? null;
    const run = runs.get(id)?.find(({ key }) => key === (accepted ?? action)?.key);
    return {
      task: id,
      outputs: outputs.map(({ path }) => path),
      key: action?.key ?? null,
      build: run?.build ?? null,
      finished: action?.finished ?? null,
      seconds: action?.seconds ?? null,
      devices: run?.devices ?? [],
      accepted,
    };
  };
  const followed = new Set<Node>();
  const step = (group: readonly Node[], only?: readonly string[]): Step => {
    const fresh = group.filter((each) => !followed.has(each));
    for (const each of fresh) followed.add(each);
    const read = fresh.flatMap((each) => inputsOf(each, graph.origins(each.task)));
    const wanted = read.filter(({ path }) => only === undefined || only.includes(path));
    const makers = new Map<string, Set<Node>>();
    const sources = new Map<string, string>();
    for (const { path, digest } of wanted) {
      const maker = graph.producer(path);
      if (maker === undefined) sources.set(path, digest);
      else {
        const own = makers.get(maker.rule.name) ?? new Set();
        makers.set(maker.rule.name, own.add(makerOf(maker, path, digest)));
      }
    }
    return {
      rule: group[0]?.task.rule.name ?? "",
      tasks: group.map(traced),
      code: codeOf(fresh[0]),
      params: paramsOf(fresh.flatMap(({ action }) => action ?? [])),
      sources: [...sources].map(([path, digest]) => ({ path, digest })),
      from: [...makers.values()].map((own) => step([...own])),
      seen: fresh.length === 0,
    };
  };
  return step([lastOf(task)], paths);
}

/** Runs that succeeded, newest first, by task. */
function runsOf(builds: Iterable<Build>): ReadonlyMap<string, readonly KnownRun[]> {
  const runs = new Map<string, KnownRun[]>();
  for (const { number, tasks } of builds)
    for (const { task, key, devices } of tasks.toReversed()) {
      if (key === undefined) continue;
      const own = runs.get(task) ?? [];
      own.push({ build: number, key, devices });
      runs.set(task, own);
    }
  return runs;
}

interface KnownRun {
  readonly build: number;
  readonly key: string;
  readonly devices: readonly string[];
}

/** The digest of a file that a run made. */
function digestIn({ recipe, outputs }: Action, path: string): string | undefined {
  for (const [i, output] of outputs.entries()) {
    const at = recipe.outputs[i]?.path ?? "";
    if (output.kind === "file" && at === path) return output.digest;
    if (output.kind === "directory" && path.startsWith(at))
      return digestsByName(output.entries).get(path.slice(at.length));
  }
  return undefined;
}

const byName = new WeakMap<readonly StoredEntry[], ReadonlyMap<string, string>>();

function digestsByName(entries: readonly StoredEntry[]): ReadonlyMap<string, string> {
  const known = byName.get(entries) ?? new Map(entries.map(({ name, digest }) => [name, digest]));
  byName.set(entries, known);
  return known;
}

/**
 * Every file that the run read, and the files from which the values of the task's axes were read. The digest is empty
 * for files whose content does not count.
 */
function inputsOf(
  { action }: Node,
  origins: readonly string[],
): readonly { readonly path: string; readonly digest: string }[] {
  // lq does not know the inputs of a run that is not recorded.
  if (action === undefined) return [];
  return [
    ...action.recipe.inputs.flatMap(({ path, digest, entries, names }) => {
      if (names !== undefined) return names.map((name) => ({ path: path + name, digest: "" }));
      if (entries !== undefined)
        return entries.map((each) => ({ path: path + each.name, digest: each.digest }));
      return [{ path, digest }];
    }),
    ...origins.map((path) => ({ path, digest: "" })),
  ];
}

function codeOf(node: Node | undefined): Step["code"] {
  const made = node?.action?.recipe.action;
  if (made === undefined) return null;
  if (made.kind === "cmd") {
    const { digest = "", files = [] } = made.code ?? {};
    return { name: made.argv.at(-1) ?? "", digest, files: files.length };
  }
  const { digest, files } = made.code;
  if (made.kind === "script") return { name: made.path, digest, files: files.length };
  // The recipe does not say which of its files is the module; the rule does.
  const declared = node?.task.rule.action;
  const name = declared?.kind === "run" ? declared.module : (files[0]?.path ?? "");
  return { name, digest, files: files.length };
}

/** The values of `with:` and those in the text of a command, by origin or name. */
function labelled({ params, action }: Action["recipe"]): readonly (readonly [string, Json])[] {
  const filled = action.kind === "cmd" ? (action.filled?.params ?? {}) : {};
  const given = Object.entries(params).map(([name, { value, origin }]) => [origin ?? name, value] as const);
  return Object.entries({ ...filled, ...Object.fromEntries(given) });
}

function paramsOf(actions: readonly Action[]): Step["params"] {
  const values = new Map<string, Map<string, Json>>();
  for (const { recipe } of actions)
    for (const [label, value] of labelled(recipe)) {
      const own = values.get(label) ?? new Map<string, Json>();
      values.set(label, own.set(JSON.stringify(value), value));
    }
  return [...values].map(([name, own]) => ({ name, values: [...own.values()] }));
}
