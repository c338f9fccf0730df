/**
 * A recipe holds everything that can change a task's outputs. It also holds what lq needs to name a change: the paths
 * of inputs and the origins of params. These are not part of the key.
 */
import type { Json } from "../model/model.ts";
import { canonicalJson } from "./canonical.ts";
import type { Closure } from "./code.ts";
import { sha256 } from "../system/digest.ts";
import type { TreeEntry } from "./tree.ts";

/** Raise this when the text of keys changes its meaning. Then lq builds everything again. */
export const RECIPE_FORMAT = 1;

export interface Recipe {
  readonly format: number;
  readonly action: RecipeAction;
  /** The inputs in the order of the rule. */
  readonly inputs: readonly RecipeInput[];
  readonly outputs: readonly RecipeOutput[];
  readonly params: { readonly [name: string]: { readonly value: Json; readonly origin: string | null } };
  /** Environment variables that the rule declares; null for one that is not set. */
  readonly env: { readonly [name: string]: string | null };
  /** Output of the tools that the rule declares, by command. */
  readonly tools: { readonly [command: string]: string };
  /** The part of the environment of commands and scripts that counts, as texts. */
  readonly environment?: readonly string[];
}

export type RecipeAction =
  | { readonly kind: "run"; readonly code: Closure }
  /** The program with its arguments, with project paths for `${in}` and `${out}`. */
  | {
      readonly kind: "cmd";
      readonly argv: readonly string[];
      /** If params are filled in: their values by path, and the text without them. Not part of the key. */
      readonly filled?: { readonly params: { readonly [path: string]: Json }; readonly text: string };
      /** The part of the code that the rule names. */
      readonly code?: Closure;
    }
  | { readonly kind: "script"; readonly path: string; readonly code: Closure };

export interface RecipeInput {
  readonly role: string;
  readonly path: string;
  readonly digest: string;
  /** For a directory: the files below it. */
  readonly entries?: readonly TreeEntry[];
  /** For a directory of which only the names count: the names of its files, sorted. */
  readonly names?: readonly string[];
  /** Patterns of files in the directory that do not count. Not part of the key. */
  readonly ignore?: readonly string[];
}

export interface RecipeOutput {
  readonly role: string;
  readonly path: string;
}

/**
 * The key: sha256 of the recipe's canonical text.
 *
 * For `run`, roles and contents stand for the inputs. A `cmd` or script sees the paths of its files, so paths count
 * there.
 */
export function keyOf(recipe: Recipe): string {
  const { action } = recipe;
  const named = seesPaths(action);
  const inputs = recipe.inputs.map(({ role, path, digest, entries, names }) => [
    role,
    names ? "names" : entries === undefined ? "file" : "directory",
    digest,
    ...(named ? [path] : []),
  ]);
  const outputs = recipe.outputs.map(({ role, path }) => [
    role,
    path.endsWith("/") ? "directory" : "file",
    ...(named ? [path] : []),
  ]);
  const params: { [name: string]: Json } = {};
  for (const name in recipe.params) params[name] = recipe.params[name]?.value ?? null;
  return sha256(
    canonicalJson([
      recipe.format,
      actionText(action),
      inputs,
      outputs,
      params,
      recipe.env,
      recipe.tools,
      ...(recipe.environment === undefined ? [] : [recipe.environment]),
    ]),
  );
}

/** Whether the paths of inputs and outputs count. */
export function seesPaths({ kind }: RecipeAction): boolean {
  return kind !== "run";
}

/** Actions of different kinds give values of different shapes. */
function actionText(action: RecipeAction): Json {
  if (action.kind === "run") return action.code.digest;
  if (action.kind === "script") return { script: action.path, code: action.code.digest };
  return action.code === undefined ? action.argv : { argv: action.argv, code: action.code.digest };
}
