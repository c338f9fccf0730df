/** What a task is at this moment, seen from the files and the records. */
import { decide } from "../decide/decide.ts";
import type { Known } from "../fingerprint/fingerprint.ts";
import { inNamesOf } from "../fingerprint/own-names.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Freshness, Task } from "../model.ts";
import type { StoredRun } from "../record/action.ts";
import { outputState } from "../record/outputs.ts";
import type { Session } from "./session.ts";

export type Verdict =
  | Due
  /** Of its recipe, only what is asked for later is kept: most tasks are fresh, and there may be 100,000. */
  | { readonly kind: "fresh"; readonly freshness: Fresh; readonly inputs: Recipe["inputs"] }
  /** Inputs that vanished since the graph was checked. */
  | { readonly kind: "missing"; readonly paths: readonly string[] };

/** Has to run or to be restored. */
interface Due {
  readonly kind: "due";
  readonly freshness: Extract<Freshness, { readonly reasons: unknown }>;
  readonly recipe: Recipe;
  /** What a restorable task is restored from. */
  readonly cached: StoredRun | null;
}

export type DueTask = Due & { readonly task: Task };

type Fresh = Extract<Freshness, { readonly state: "fresh" }>;

/** @param known content of outputs that are restorable and not on the disk yet */
export function evaluate(session: Session, task: Task, forced: boolean, known?: Known): Verdict {
  const { state, store } = session;
  const print = session.fingerprinter.fingerprint(task, known);
  if (print.kind === "missing") return print;
  const { key, recipe } = print;
  const last = state.last(task.id);
  const outputs = task.outputs.map(({ path }) => ({
    path,
    state: outputState(session, task.id, path),
  }));
  const settled = last?.key === key && outputs.every((output) => output.state === "intact");
  const cached = settled || forced ? undefined : store.run(key);
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
  if (freshness.state === "fresh") return { kind: "fresh", freshness, inputs: recipe.inputs };
  return {
    kind: "due",
    freshness,
    recipe,
    cached: freshness.state === "restorable" ? (cached ?? null) : null,
  };
}

/** Paths of outputs that were edited since lq wrote them. */
export function editedOutputs(session: Session, task: Task): readonly string[] {
  return task.outputs
    .map(({ path }) => path)
    .filter((path) => outputState(session, task.id, path) === "edited");
}
