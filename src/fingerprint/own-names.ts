/** Recipes on record in the names of the task that asks. */
import type { Task, TaskPath } from "../model/model.ts";
import { seesPaths, type Recipe } from "./recipe.ts";

/**
 * Tasks of one key share what is stored under it, and neither the paths of a module's inputs and outputs nor the
 * origins of its params are in a key: those on record may be another task's. Inputs are the task's own by their
 * place, as long as their roles are the same.
 */
export function inNamesOf(task: Pick<Task, "inputs" | "outputs" | "params">, recipe: Recipe): Recipe {
  // Paths are in the key of a command or script: those on record are its own, even if the rule names others now.
  if (seesPaths(recipe.action)) return recipe;
  if (recipe.outputs.every(({ path }, i) => path === task.outputs[i]?.path)) return recipe;
  const params = Object.entries(recipe.params).map(([name, param]) => {
    const own = task.params[name];
    return [name, own === undefined ? param : { ...param, origin: own.origin }] as const;
  });
  return {
    ...recipe,
    inputs: renamed(recipe.inputs, task.inputs),
    outputs: renamed(recipe.outputs, task.outputs),
    params: Object.fromEntries(params),
  };
}

function renamed<T extends { readonly role: string; readonly path: string }>(
  known: readonly T[],
  own: readonly TaskPath[],
): readonly T[] {
  if (known.length !== own.length || known.some(({ role }, i) => role !== own[i]?.role)) return known;
  return known.map((each, i) => ({ ...each, path: own[i]?.path ?? each.path }));
}
