/** Finds out whether a task is fresh at this moment, from the files and the records. */
import { decide } from "../decide/decide.ts";
import type { KnownOutputs } from "../fingerprint/fingerprint.ts";
import { inNamesOf } from "../fingerprint/own-names.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Freshness } from "../model/freshness.ts";
import type { Task } from "../model/model.ts";
import type { StoredRun } from "../store/action.ts";
import { differingFile, isProtected, isWhole, outputState, refusalText } from "../record/outputs.ts";
import type { Session } from "../session/session.ts";

/** The freshness of a task, with what a build needs to act on it. */
export type Verdict = Fresh | Restorable | Due | LacksInput;

/** Keeps only `inputs` of the recipe: there may be 100,000 fresh tasks. */
type Fresh = Extract<Freshness, { readonly state: "fresh" }> & {
  readonly inputs: Recipe["inputs"];
  /** Files that somebody added to its output folders. */
  readonly added?: readonly string[];
};

/** The cache has what the task would make. Keeps only `inputs` of the recipe, as for fresh tasks. */
export type Restorable = Extract<Freshness, { readonly state: "restorable" }> & {
  readonly inputs: Recipe["inputs"];
  readonly cached: StoredRun;
};

/** The task has to run. */
type Due = Extract<Freshness, { readonly state: "stale" | "missing" | "failed" }> & {
  readonly recipe: Recipe;
};

export type DueTask = Due & { readonly task: Task };

/** Inputs that were there when lq checked the graph are gone. */
interface LacksInput {
  readonly state: "lacks-input";
  readonly paths: readonly string[];
}

interface EvaluateOptions {
  /** Whether the task has to run even if it is fresh. */
  readonly forced: boolean;
  /** Whether its result in the cache turned out to be damaged. */
  readonly damaged?: boolean;
  /** A run that the remote cache has. */
  readonly found?: StoredRun | undefined;
  /** Content of restorable outputs, which are not on the disk yet. */
  readonly known?: KnownOutputs | undefined;
}

export function evaluate(
  session: Session,
  task: Task,
  { forced, damaged = false, found, known }: EvaluateOptions,
): Verdict {
  const { state, store } = session;
  const print = session.fingerprinter.fingerprint(task, known);
  if (print.kind === "missing") return { state: "lacks-input", paths: print.paths };
  const { recipe } = print;
  const last = state.last(task.id);
  // Keep one of two equal strings: there may be 100,000 keys.
  const key = last?.key === print.key ? last.key : print.key;
  const outputs = task.outputs.map(({ path }) => {
    const state = outputState(session, task.id, path);
    if (state === "unreadable") return { path, state, why: refusalText(session, path) };
    return isProtected(state)
      ? { path, state, file: differingFile(session, task.id, path) }
      : { path, state };
  });
  const settled = last?.key === key && outputs.every((output) => isWhole(output.state));
  const remote = found?.key === key ? found : undefined;
  const cached = settled || forced || damaged ? undefined : (store.run(key) ?? remote);
  const freshness = decide({
    key,
    recipe,
    last,
    lastRecipe: () => {
      const action = typeof last?.key === "string" ? store.action(last.key) : undefined;
      return action && inNamesOf(task, action.recipe);
    },
    failure: state.lastFailure(task.id),
    outputs,
    cached: cached !== undefined,
    forced,
  });
  const added = outputs.flatMap(({ state, file }) => (state === "extended" ? (file ?? []) : []));
  if (freshness.state === "fresh")
    return { ...freshness, inputs: recipe.inputs, ...(added.length > 0 && { added }) };
  if (freshness.state !== "restorable") return { ...freshness, recipe };
  if (cached === undefined) throw new Error(`${task.id} is restorable, but nothing is cached for it`);
  return { ...freshness, inputs: recipe.inputs, cached };
}

/** Whether the outputs of the task are known: they are in place, or can be restored. */
export function isSettled(verdict: Verdict): verdict is Fresh | Restorable {
  return verdict.state === "fresh" || verdict.state === "restorable";
}

export function isDue(verdict: Verdict): verdict is Due {
  return verdict.state === "stale" || verdict.state === "missing" || verdict.state === "failed";
}
