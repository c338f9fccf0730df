/** Reads located values as the types that a pipeline expects, and adds a problem where they have another type. */
import type { Span } from "../model/errors.ts";
import type { Problems } from "./problems.ts";
import { didYouMean } from "./suggest.ts";
import type { Located, LocatedMap, LocatedScalar } from "./yaml.ts";

/** A scalar whose value is text. */
export type Text = LocatedScalar & { readonly value: string };

/** Describes a value, for messages. */
export function describe(node: Located): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "nothing";
  return typeof node.value === "string" ? `"${node.value}"` : String(node.value);
}

export function readMap(node: Located, what: string, problems: Problems): LocatedMap | null {
  if (node.kind === "map") return node;
  problems.add(`${what} must be a map, not ${describe(node)}`, node.span);
  return null;
}

export function readText(node: Located, what: string, problems: Problems): Text | null {
  if (isText(node)) return node;
  problems.add(`${what} must be text, not ${describe(node)}`, node.span, quoteHint(node));
  return null;
}

/** One text or a list of texts. */
export function readTexts(node: Located, what: string, problems: Problems): Text[] {
  const items = node.kind === "list" ? node.items : [node];
  return items.map((item) => readText(item, what, problems)).filter((text) => text !== null);
}

export function readBoolean(node: Located, what: string, problems: Problems): boolean {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  problems.add(`${what} must be true or false, not ${describe(node)}`, node.span);
  return false;
}

/** A whole number of at least `least`. */
export function readCount(node: Located, what: string, least: number, problems: Problems): number {
  if (node.kind === "scalar" && typeof node.value === "number") {
    if (Number.isSafeInteger(node.value) && node.value >= least) return node.value;
  }
  problems.add(`${what} must be a whole number of at least ${least}, not ${describe(node)}`, node.span);
  return least;
}

/** Adds a problem for each key that is not among `known`. */
export function refuseUnknownKeys(
  map: LocatedMap,
  known: readonly string[],
  where: string,
  problems: Problems,
): void {
  for (const [name, { key }] of map.entries) {
    if (!known.includes(name))
      problems.add(`unknown key "${name}" in ${where}`, key, didYouMean(name, known));
  }
}

/** Adds a problem for a name that cannot be used inside `${…}`. */
export function checkName(name: string, what: string, span: Span, problems: Problems): boolean {
  if (/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) return true;
  problems.add(`${what} "${name}" must start with a letter and have letters, digits, "_" and "-" only`, span);
  return false;
}

export function isText(node: Located): node is Text {
  return node.kind === "scalar" && typeof node.value === "string";
}

function quoteHint(node: Located): string | undefined {
  return node.kind === "scalar" && node.value !== null ? `put it in quotes: "${node.raw}"` : undefined;
}
