/** Translates a recorded recipe into the names of the task that asks. */
import type { Task, TaskPath } from "../model/model.ts";
import { seesPaths, type Recipe } from "./recipe.ts";

/**
 * Tasks with one key share the action that is stored under it. The paths of a module's inputs and outputs, and the
 * origins of its params, are in no key, so those in the action may belong to another task. If the roles are the same,
 * inputs correspond by their position.
 */
export function inNamesOf(task: Pick<Task, "inputs" | "outputs" | "params">, recipe: Recipe): Recipe {
  // The key of a command or script contains paths, so the recorded paths are its own, even if the rule has changed
  // since.
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
