/** Compares two recorded runs of a task, and the runs behind them: their inputs, params and code, and their outputs. */
import type { Session } from "../session/session.ts";
import { compareRecipes } from "../decide/compare.ts";
import { UserError } from "../model/errors.ts";
import { inNamesOf } from "../fingerprint/own-names.ts";
import { type Build, lastRuns } from "../history/builds.ts";
import type { Reason } from "../model/freshness.ts";
import type { Task } from "../model/model.ts";
import type { Action, StoredOutput } from "../store/action.ts";
import { contentDistance, LARGEST, type Distance } from "./content.ts";

/** The run whose outputs were in place after a build; `build` null: the run whose outputs are in place now. */
export interface RecordedRun {
  readonly task: Task;
  readonly build: number | null;
  readonly action: Action;
}

export interface Difference {
  readonly task: string;
  /** Whether both are the same run. */
  readonly same: boolean;
  readonly reasons: readonly Reason[];
  readonly outputs: readonly { readonly path: string; readonly distance: Distance | null }[];
  /** Differences of the tasks that made the differing inputs. */
  readonly from: readonly Difference[];
}

type Records = Pick<Session, "graph" | "state" | "store">;

/** Finds runs in the recorded builds. */
export class RecordedRuns {
  readonly #session: Records;
  readonly #builds: readonly Build[];
  readonly #keys = new Map<number, ReadonlyMap<string, string>>();

  /** @param builds newest first */
  constructor(session: Records, builds: readonly Build[]) {
    this.#session = session;
    this.#builds = builds;
  }

  /** Null if the task had not run by then, or the cache no longer has a record of the run. */
  find(task: Task, build: number | null): RecordedRun | null {
    const key = build === null ? this.#session.state.last(task.id)?.key : this.#keysAt(build).get(task.id);
    const action = typeof key === "string" ? this.#session.store.action(key) : undefined;
    if (action === undefined) return null;
    return { task, build, action: { ...action, recipe: inNamesOf(task, action.recipe) } };
  }

  /** @throws UserError if `find` finds none */
  get(task: Task, build: number | null): RecordedRun {
    const run = this.find(task, build);
    if (run !== null) return run;
    const when = build === null ? "" : ` in build ${build} or before`;
    throw new UserError({
      message: `there is no record of a run of ${task.id}${when}`,
      hint: "`lq history TARGET` lists its runs; a run is forgotten when the cache drops it",
    });
  }

  /** The last run that differs from the present one. @throws UserError if there is none */
  previous(task: Task): RecordedRun {
    const now = this.get(task, null);
    for (const { number, tasks } of this.#builds) {
      const line = tasks.findLast((each) => each.task === task.id && each.key !== undefined);
      if (line === undefined || line.key === now.action.key) continue;
      const run = this.find(task, number);
      if (run !== null && run.action.key !== now.action.key) return run;
    }
    throw new UserError({ message: `${task.id} has no earlier run that differs from the present one` });
  }

  #keysAt(build: number): ReadonlyMap<string, string> {
    let keys = this.#keys.get(build);
    if (keys === undefined) {
      const runs = [...lastRuns(this.#builds, build)];
      keys = new Map(runs.flatMap(([id, { run }]) => (run.key === undefined ? [] : [[id, run.key]])));
      this.#keys.set(build, keys);
    }
    return keys;
  }
}

/** Compares two runs. If they are runs of one task, also compares the runs behind the differing inputs. */
export function difference(
  session: Records,
  runs: RecordedRuns,
  before: RecordedRun,
  after: RecordedRun,
): Difference {
  const seen = new Set<string>();
  const compare = (a: RecordedRun, b: RecordedRun): Difference => {
    seen.add(b.task.id);
    const reasons = a.action.key === b.action.key ? [] : compareRecipes(a.action.recipe, b.action.recipe);
    const from: Difference[] = [];
    if (a.task === b.task)
      for (const task of makersOf(session, reasons)) {
        if (seen.has(task.id)) continue;
        const [was, is] = [runs.find(task, a.build), runs.find(task, b.build)];
        if (was !== null && is !== null && was.action.key !== is.action.key) from.push(compare(was, is));
      }
    const same = a.action.key === b.action.key;
    return { task: b.task.id, same, reasons, outputs: outputDistances(session, a, b), from };
  };
  return compare(before, after);
}

function makersOf({ graph }: Records, reasons: readonly Reason[]): ReadonlySet<Task> {
  const paths = reasons.flatMap((reason) => (reason.kind === "file" ? [reason.path] : []));
  return new Set(paths.flatMap((path) => graph.producer(path) ?? []));
}

function outputDistances(session: Records, before: RecordedRun, after: RecordedRun): Difference["outputs"] {
  return matched(outputsOf(before), outputsOf(after)).flatMap(([was, is]) => {
    const path = (is ?? was)?.path ?? "";
    return paired(was?.output, is?.output).map(([name, a, b]) => ({
      path: path + name,
      distance: distance(session, path + name, a, b),
    }));
  });
}

interface NamedOutput {
  readonly role: string;
  readonly path: string;
  readonly output: StoredOutput;
}

/** A run's outputs, as the rule declared them at that time. */
function outputsOf({ action: { recipe, outputs } }: RecordedRun): readonly NamedOutput[] {
  return recipe.outputs.flatMap(({ role, path }, i) => {
    const output = outputs[i];
    return output === undefined ? [] : [{ role, path, output }];
  });
}

/** Pairs outputs with the same path; then pairs the others by role, in their order. */
function matched(
  before: readonly NamedOutput[],
  after: readonly NamedOutput[],
): [NamedOutput | undefined, NamedOutput | undefined][] {
  const rest = new Set(before);
  const take = (is: NamedOutput, part: "path" | "role"): NamedOutput | undefined => {
    const was = [...rest].find((each) => each[part] === is[part]);
    if (was !== undefined) rest.delete(was);
    return was;
  };
  const byPath = after.map((is) => take(is, "path"));
  const pairs = after.map((is, i): [NamedOutput | undefined, NamedOutput] => [
    byPath[i] ?? take(is, "role"),
    is,
  ]);
  return [...pairs, ...Array.from(rest, (was): [NamedOutput, undefined] => [was, undefined])];
}

/** The parts of two outputs that differ: name, digest before, digest after. */
function paired(
  before: StoredOutput | undefined,
  after: StoredOutput | undefined,
): [string, string | undefined, string | undefined][] {
  if (before?.digest === after?.digest) return [];
  const [was, is] = [parts(before), parts(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((name): [string, string | undefined, string | undefined] => [name, was.get(name), is.get(name)])
    .filter(([, a, b]) => a !== b);
}

function parts(output: StoredOutput | undefined): ReadonlyMap<string, string> {
  if (output === undefined) return new Map();
  if (output.kind === "file") return new Map([["", output.digest]]);
  return new Map(output.entries.map(({ name, digest }) => [name, digest]));
}

/** The distance of two outputs; null if the cache no longer has one of them. */
function distance(
  { store }: Records,
  path: string,
  before: string | undefined,
  after: string | undefined,
): Distance | null {
  if (before === undefined || after === undefined)
    return { kind: "only", side: before === undefined ? "after" : "before" };
  const sizes = [store.sizeOf(before), store.sizeOf(after)] as const;
  if (Math.max(...sizes) > LARGEST) return { kind: "bytes", differing: null, sizes };
  const [a, b] = [store.read(before), store.read(after)];
  return a && b ? contentDistance(path, a, b) : null;
}
