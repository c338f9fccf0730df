/** What a task is at this moment, seen from the files and the records. */
import { decide } from "../decide/decide.ts";
import type { KnownOutputs } from "../fingerprint/fingerprint.ts";
import { inNamesOf } from "../fingerprint/own-names.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Freshness, Task } from "../model/model.ts";
import type { StoredRun } from "../store/action.ts";
import { outputState, refusalText } from "../record/outputs.ts";
import type { Session } from "../session/session.ts";

export type Verdict =
  | Due
  | Restorable
  /** Of its recipe, only what is asked for later is kept: most tasks are fresh, and there may be 100,000. */
  | { readonly kind: "fresh"; readonly freshness: Fresh; readonly inputs: Recipe["inputs"] }
  /** Inputs that vanished since the graph was checked. */
  | { readonly kind: "missing"; readonly paths: readonly string[] };

/** Has to run. */
interface Due {
  readonly kind: "due";
  readonly freshness: NotFresh;
  readonly recipe: Recipe;
}

export type DueTask = Due & { readonly task: Task };

/** What it would make is in the cache. As many tasks may be so as may be fresh. */
export interface Restorable {
  readonly kind: "restorable";
  readonly freshness: NotFresh;
  readonly inputs: Recipe["inputs"];
  readonly cached: StoredRun;
}

type NotFresh = Extract<Freshness, { readonly reasons: unknown }>;

type Fresh = Extract<Freshness, { readonly state: "fresh" }>;

interface EvaluateOptions {
  /** Whether it is to run even if it is fresh. */
  readonly forced: boolean;
  /** Whether what the cache has of it turned out to be damaged. */
  readonly damaged?: boolean;
  /** Content of outputs that are restorable and not on the disk yet. */
  readonly known?: KnownOutputs | undefined;
}

export function evaluate(
  session: Session,
  task: Task,
  { forced, damaged = false, known }: EvaluateOptions,
): Verdict {
  const { state, store } = session;
  const print = session.fingerprinter.fingerprint(task, known);
  if (print.kind === "missing") return print;
  const { recipe } = print;
  const last = state.last(task.id);
  // Of two equal texts, one is kept.
  const key = last?.key === print.key ? last.key : print.key;
  const outputs = task.outputs.map(({ path }) => {
    const state = outputState(session, task.id, path);
    return state === "unreadable" ? { path, state, why: refusalText(session, path) } : { path, state };
  });
  const settled = last?.key === key && outputs.every((output) => output.state === "intact");
  const cached = settled || forced || damaged ? undefined : store.run(key);
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
  if (freshness.state === "restorable" && cached !== undefined)
    return { kind: "restorable", freshness, inputs: recipe.inputs, cached };
  return { kind: "due", freshness, recipe };
}
