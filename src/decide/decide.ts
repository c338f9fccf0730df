/** Decides whether a task has to run, and why: a pure function of the records and of the state of the outputs. */
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Freshness, Reason } from "../model/freshness.ts";
import { isProtected, isWhole, type OutputState } from "../record/outputs.ts";
import type { DoneRecord, FailedRecord } from "../state/records.ts";
import { compareRecipes } from "./compare.ts";

export interface Evidence {
  readonly key: string;
  readonly recipe: Recipe;
  /** The task's last run that put outputs in place. */
  readonly last: DoneRecord | undefined;
  /** The recipe of `last`, if the cache still has it. Called only when the keys differ. */
  readonly lastRecipe: () => Recipe | undefined;
  readonly failure: FailedRecord | undefined;
  readonly outputs: readonly {
    readonly path: string;
    readonly state: OutputState;
    /** For an edited or foreign output: the file that differs, in a folder one of its files. */
    readonly file?: string;
    /** For the state "unreadable": the reason. */
    readonly why?: string;
  }[];
  /** Whether the cache has an action for the key. */
  readonly cached: boolean;
  /** `-f` */
  readonly forced: boolean;
}

export function decide(evidence: Evidence): Exclude<Freshness, { readonly state: "pending" }> {
  const { key, last, failure, outputs, cached, forced } = evidence;
  const settled = last?.key === key && outputs.every(({ state }) => isWhole(state));
  if (settled && !forced) return { state: "fresh", key };

  const reasons = reasonsOf(evidence);
  // Never replace an output that is, or may be, edited unless the user asks. Such a task is stale even if the cache
  // could restore the old output.
  const isKept = outputs.some(({ state }) => isProtected(state));
  if (cached && !forced && !isKept) return { state: "restorable", key, reasons };
  if (failure?.key === key) return { state: "failed", key, reasons };
  return { state: outputs.some(({ state }) => state === "missing") ? "missing" : "stale", key, reasons };
}

/** Every reason. Where there is room for only one, lq shows the first. */
function reasonsOf({ key, recipe, last, lastRecipe, failure, outputs, forced }: Evidence): Reason[] {
  const reasons: Reason[] = [];
  for (const { path, state, file = path, why = "" } of outputs)
    if (state === "edited") reasons.push({ kind: "output-edited", path: file });
    else if (state === "foreign" || state === "extended")
      reasons.push({ kind: "output-foreign", path: file });
    else if (state === "unreadable") reasons.push({ kind: "output-unreadable", path, why });
  if (last === undefined) reasons.push({ kind: "never-built" });
  else if (last.key === null)
    reasons.push({ kind: "declaration", what: "lq removed an output of the last run" });
  else if (last.key !== key) {
    const before = lastRecipe();
    const differences = before === undefined ? [] : compareRecipes(before, recipe);
    if (differences.length > 0) reasons.push(...differences);
    else reasons.push({ kind: "declaration", what: "the cache no longer has the record of the last run" });
  }
  if (last !== undefined)
    for (const { path, state } of outputs)
      if (state === "missing") reasons.push({ kind: "output-missing", path });
      else if (state === "replaced") reasons.push({ kind: "output-replaced", path });
  if (failure?.key === key) reasons.push({ kind: "failed-before" });
  if (forced) reasons.push({ kind: "forced" });
  return reasons;
}
