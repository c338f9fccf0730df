/** Finds the differences between two recipes, as reasons to run. */
import type { ContentChange, Reason } from "../model/freshness.ts";
import type { Json } from "../model/model.ts";
import { canonicalJson } from "../fingerprint/canonical.ts";
import type { Closure } from "../fingerprint/code.ts";
import { seesPaths, type Recipe, type RecipeAction, type RecipeInput } from "../fingerprint/recipe.ts";
import type { TreeEntry } from "../fingerprint/tree.ts";

/** Every difference that changes the key. */
export function compareRecipes(before: Recipe, after: Recipe): Reason[] {
  const params = compareParams(before.params, after.params);
  const paths = new Set(params.map((reason) => (reason.kind === "param" ? reason.path : "")));
  return [
    ...compareDeclarations(before, after),
    // A param may be in the command's text and under `with:`.
    ...compareActions(before, after).filter((reason) => reason.kind !== "param" || !paths.has(reason.path)),
    ...params,
    ...compareInputs(before, after),
    ...compareTexts("env", before.env, after.env),
    ...compareUnset(before.env, after.env),
    ...compareTexts("tool", before.tools, after.tools),
    ...compareEnvironments(before.environment ?? [], after.environment ?? []),
  ];
}

function compareDeclarations(before: Recipe, after: Recipe): Reason[] {
  if (before.format !== after.format) return [{ kind: "declaration", what: "the way lq computes keys" }];
  if (before.action.kind !== after.action.kind)
    return [{ kind: "declaration", what: `${before.action.kind} → ${after.action.kind}` }];
  const reasons: Reason[] = [];
  const named = seesPaths(after.action);
  for (const side of ["inputs", "outputs"] as const) {
    const was = before[side].map((each) => declared(each, named && side === "outputs"));
    const is = after[side].map((each) => declared(each, named && side === "outputs"));
    const changes = [...comparison(unvalued(was), unvalued(is))].map(
      ([what, { change }]) => `${side} ${what} ${change}`,
    );
    if (changes.length > 0) reasons.push(...changes.map((what): Reason => ({ kind: "declaration", what })));
    else if (was.join("\n") !== is.join("\n"))
      reasons.push({ kind: "declaration", what: `the order or number of ${side}` });
  }
  return reasons;
}

function declared(
  { role, path, names }: Pick<RecipeInput, "role" | "path" | "names">,
  named: boolean,
): string {
  if (named) return `${role}: ${path}`;
  if (names !== undefined) return `${role} (names)`;
  return path.endsWith("/") ? `${role} (a directory)` : role;
}

function compareActions({ action: before }: Recipe, { action: after }: Recipe): Reason[] {
  const reasons: Reason[] = [];
  if (before.kind === "cmd" && after.kind === "cmd") reasons.push(...compareCommands(before, after));
  const [was, is] = [before.code ?? NO_CODE, after.code ?? NO_CODE];
  if (was.digest !== is.digest) reasons.push(...compareCode(was, is));
  return reasons;
}

type CommandAction = Extract<RecipeAction, { readonly kind: "cmd" }>;

/** A param that a command has in its text changes like any other param. The rest of the text is compared without them. */
function compareCommands(before: CommandAction, after: CommandAction): Reason[] {
  if (JSON.stringify(before.argv) === JSON.stringify(after.argv)) return [];
  const [was, is] = [before.filled, after.filled];
  if (was !== undefined && is !== undefined) {
    const paths = new Set([...Object.keys(is.params), ...Object.keys(was.params)]);
    const reasons = [...paths].flatMap((path) => compareValues(path, was.params[path], is.params[path]));
    if (was.text !== is.text) reasons.push({ kind: "command", before: was.text, after: is.text });
    if (reasons.length > 0) return reasons;
  }
  return [{ kind: "command", before: commandText(before.argv), after: commandText(after.argv) }];
}

const NO_CODE: Closure = { digest: "", files: [], packages: [] };

function compareCode(before: Closure, after: Closure): Reason[] {
  const files = comparison(
    before.files.map((each) => [each.path, each.digest]),
    after.files.map((each) => [each.path, each.digest]),
  );
  const by = new Map([...before.files, ...after.files].map((each) => [each.path, each.by]));
  const was = versions(before.packages);
  const is = versions(after.packages);
  const reasons = [
    ...[...files].map(([file, change]): Reason => {
      const loader = by.get(file);
      return { kind: "code", file, ...change, ...(loader === undefined ? {} : { by: loader }) };
    }),
    ...[...comparison([...was], [...is]).keys()].map((name): Reason => ({
      kind: "package",
      name,
      before: was.get(name) ?? null,
      after: is.get(name) ?? null,
    })),
  ];
  return reasons.length > 0 ? reasons : [{ kind: "declaration", what: "the code that the rule runs" }];
}

/** The text of a command that bash runs, or the words of a list. */
function commandText(argv: readonly string[]): string {
  return argv[0] === "bash" && argv.length === 5 ? (argv[4] ?? "") : argv.join(" ");
}

function versions(
  packages: readonly { readonly name: string; readonly version: string }[],
): Map<string, string> {
  const map = new Map<string, string>();
  for (const { name, version } of packages) {
    const other = map.get(name);
    map.set(name, other === undefined ? version : `${other}, ${version}`);
  }
  return map;
}

function compareParams(before: Recipe["params"], after: Recipe["params"]): Reason[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name) => {
    const was = before[name];
    const is = after[name];
    return compareValues(is?.origin ?? was?.origin ?? name, was?.value, is?.value);
  });
}

/**
 * Finds differences at the leaves. It compares lists of equal length element by element, and other lists as a whole.
 */
function compareValues(path: string, before: Json | undefined, after: Json | undefined): Reason[] {
  if (isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) {
    const was = new Map(Object.entries(before));
    const is = new Map(Object.entries(after));
    if (!Array.isArray(before) || was.size === is.size)
      return [...new Set([...is.keys(), ...was.keys()])].flatMap((key) =>
        compareValues(`${path}.${key}`, was.get(key), is.get(key)),
      );
  }
  if (before === after) return [];
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after))
    return [];
  return [{ kind: "param", path, before, after }];
}

function isBranch(value: Json | undefined): value is { readonly [key: string]: Json } | readonly Json[] {
  return typeof value === "object" && value !== null;
}

/** Compares files by path, within each role. If a role has the same contents in the same order, names do not matter. */
function compareInputs(before: Recipe, after: Recipe): Reason[] {
  const named = seesPaths(after.action);
  const roles = [...new Set([...after.inputs, ...before.inputs].map(({ role }) => role))];
  const changes = new Map<string, ContentChange>();
  for (const role of roles) {
    const was = before.inputs.filter((input) => input.role === role);
    const is = after.inputs.filter((input) => input.role === role);
    if (same(was, is, named)) continue;
    const changed = changedFiles(was, is);
    for (const [path, change] of changed) changes.set(path, change);
    if (changed.size === 0) changes.set(is.map(({ path }) => path).join(", "), { change: "changed" });
  }
  return [...changes].map(([path, change]) => ({ kind: "file", path, ...change }));
}

function same(before: readonly RecipeInput[], after: readonly RecipeInput[], named: boolean): boolean {
  return (
    before.length === after.length &&
    before.every((input, i) => input.digest === after[i]?.digest && (!named || input.path === after[i]?.path))
  );
}

function changedFiles(
  before: readonly RecipeInput[],
  after: readonly RecipeInput[],
): Map<string, ContentChange> {
  const [was, is] = [before[0], after[0]];
  const isOneFolder = before.length === 1 && after.length === 1 && was?.path === is?.path;
  if (!isOneFolder || !was?.entries || !is?.entries) return comparison(contents(before), contents(after));
  // A folder may have 100,000 files, so make names only for the files that differ.
  const differs = (entries: readonly TreeEntry[]) => (entry: TreeEntry, i: number) =>
    entry.name !== entries[i]?.name || entry.digest !== entries[i]?.digest;
  const some = (input: RecipeInput, entries: readonly TreeEntry[]) => contents([{ ...input, entries }]);
  return comparison(
    some(was, was.entries.filter(differs(is.entries))),
    some(is, is.entries.filter(differs(was.entries))),
  );
}

function contents(inputs: readonly RecipeInput[]): [string, string][] {
  return inputs.flatMap(({ path, digest, entries, names }): [string, string][] => {
    if (names !== undefined) return names.map((name) => [path + name, ""]);
    if (entries !== undefined) return entries.map((entry) => [path + entry.name, entry.digest]);
    return [[path, digest]];
  });
}

function compareTexts(
  kind: "env" | "tool",
  before: { readonly [name: string]: string | null },
  after: { readonly [name: string]: string | null },
): Reason[] {
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))
    .filter((each) => each.before !== each.after)
    .map((each) => ({ kind, ...each }));
}

function compareEnvironments(before: readonly string[], after: readonly string[]): Reason[] {
  return [...comparison(unvalued(before), unvalued(after))].map(([what, { change }]) => ({
    kind: "declaration",
    what: `environment: ${what} ${change}`,
  }));
}

/** Variables that only one side declares, and that have no value on that side. */
function compareUnset(before: Recipe["env"], after: Recipe["env"]): Reason[] {
  const changes = comparison(unvalued(Object.keys(before)), unvalued(Object.keys(after)));
  return [...changes]
    .filter(([name]) => (before[name] ?? null) === (after[name] ?? null))
    .map(([name, { change }]) => ({ kind: "declaration", what: `env ${name} ${change}` }));
}

/** Compares values by name. The result has new and changed names first, then removed ones. "" counts as no value. */
function comparison(
  before: readonly (readonly [string, string])[],
  after: readonly (readonly [string, string])[],
): Map<string, ContentChange> {
  const was = new Map(before);
  const is = new Map(after);
  const changes = new Map<string, ContentChange>();
  for (const [name, value] of is) {
    const old = was.get(name);
    if (old === undefined) changes.set(name, { change: "added", ...(value && { after: value }) });
    else if (old !== value) changes.set(name, { change: "changed", before: old, after: value });
  }
  for (const [name, value] of was)
    if (!is.has(name)) changes.set(name, { change: "removed", ...(value && { before: value }) });
  return changes;
}

function unvalued(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.map((name) => [name, ""]);
}
