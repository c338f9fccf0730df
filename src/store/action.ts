/** Reads and writes actions. An action is the stored record of one successful run, as a file. */
import * as z from "zod/mini";
import { sha256 } from "../system/digest.ts";
import { keyOf, type Recipe } from "../fingerprint/recipe.ts";
import type { TreeEntry } from "../fingerprint/tree.ts";
import type { Json } from "../model/model.ts";

export interface Action extends StoredRun {
  readonly recipe: Recipe;
}

/** The part of an action that is needed to restore its outputs. */
export interface StoredRun {
  readonly key: string;
  /** The outputs in the order of the recipe. */
  readonly outputs: readonly StoredOutput[];
  readonly seconds: number;
  /** Milliseconds since 1970. */
  readonly finished: number;
  /** Set if the outputs were not made under this key but accepted for it. */
  readonly accepted?: Accepted;
}

export interface Accepted {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The key of the run that made them; `seconds` and `finished` belong to that run. */
  readonly key: string;
}

export type StoredOutput =
  | { readonly kind: "file"; readonly digest: string; readonly executable: boolean }
  | {
      readonly kind: "directory";
      readonly digest: string;
      /** Sorted by name. */
      readonly entries: readonly StoredEntry[];
    };

export interface StoredEntry {
  /** A path relative to the directory, which never leads out of it. */
  readonly name: string;
  readonly digest: string;
  readonly executable: boolean;
}

/** Raise this when the format below changes. Actions of another version count as absent. */
const VERSION = 1;
const HEX = 64;
const OPENING = '{"sha256":"';

const DIGEST = /^[0-9a-f]{64}$/;
const Digest = z.string().check(z.regex(DIGEST));
const Name = z.string().check(z.refine(isSafeName));
const Value: z.ZodMiniType<Json> = z.json();
const Entry = z.object({ name: Name, digest: Digest, executable: z.boolean() });
export const StoredOutputShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), digest: Digest, executable: z.boolean() }),
  z.object({ kind: z.literal("directory"), digest: Digest, entries: z.array(Entry) }),
]);
/** This check is written by hand for speed, because a folder may have 100,000 entries. */
const Tree = z.custom<TreeEntry[]>(isTree);
const Texts = z.record(z.string(), z.string());
const Code = z.object({
  digest: Digest,
  files: z.array(z.object({ path: z.string(), digest: Digest, by: z.exactOptional(z.string()) })),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
});
const StoredRecipe = z.object({
  format: z.number(),
  action: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("run"), code: Code }),
    z.object({
      kind: z.literal("cmd"),
      argv: z.array(z.string()),
      filled: z.exactOptional(z.object({ params: z.record(z.string(), Value), text: z.string() })),
      code: z.exactOptional(Code),
    }),
    z.object({ kind: z.literal("script"), path: z.string(), code: Code }),
  ]),
  inputs: z.array(
    z.object({
      role: z.string(),
      path: z.string(),
      digest: Digest,
      entries: z.exactOptional(Tree),
      names: z.exactOptional(z.array(z.string())),
    }),
  ),
  outputs: z.array(z.object({ role: z.string(), path: z.string() })),
  params: z.record(z.string(), z.object({ value: Value, origin: z.nullable(z.string()) })),
  env: z.record(z.string(), z.nullable(z.string())),
  tools: Texts,
  environment: z.exactOptional(z.array(z.string())),
});
const StoredAction = z.object({
  version: z.literal(VERSION),
  key: Digest,
  recipe: StoredRecipe,
  outputs: z.array(StoredOutputShape),
  seconds: z.number(),
  finished: z.number(),
  accepted: z.exactOptional(z.object({ at: z.number(), key: Digest })),
});

/** Writes JSON whose first member is the sha256 of the text after it. */
export function encodeAction(action: Action): string {
  const rest = JSON.stringify({ version: VERSION, ...action }).slice(1);
  return `${OPENING}${sha256(rest)}",${rest}`;
}

/** Null if the text is damaged, is not an action, or belongs to another key. */
export function decodeAction(text: string, key: string): Action | null {
  const rest = text.slice(OPENING.length + HEX + 2);
  if (!text.startsWith(`${OPENING}${sha256(rest)}",`)) return null;
  const { data } = StoredAction.safeParse(parse(text));
  if (data?.key !== key) return null;
  const { recipe, outputs, seconds, finished, accepted } = data;
  // Compute the key from the recipe, because other users may write to a shared store.
  if (outputs.length !== recipe.outputs.length || keyOf(recipe) !== key) return null;
  return { key, recipe, outputs, seconds, finished, ...(accepted && { accepted }) };
}

/** The files of an output, by name relative to it; the name is empty if the output is a file itself. */
export function partsOf(output: StoredOutput): readonly StoredEntry[] {
  return output.kind === "file" ? [{ ...output, name: "" }] : output.entries;
}

/** Whether a tree's entry stays inside its directory. */
export function isSafeName(name: string): boolean {
  return (
    !name.includes("\0") && name.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function isTree(value: unknown): boolean {
  return Array.isArray(value) && value.every(isTreeEntry);
}

function isTreeEntry(value: unknown): boolean {
  const { name, digest } = (value ?? {}) as { readonly [key: string]: unknown };
  return typeof name === "string" && typeof digest === "string" && DIGEST.test(digest);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
