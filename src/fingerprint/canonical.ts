/**
 * Gives one text for one value: JSON without spaces, with map keys sorted by code unit. Values that differ only in the
 * order of keys give the same text. Different values never do.
 */
import type { Json } from "../model/model.ts";

export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(",")}]`;
  const map = value as { readonly [key: string]: Json };
  const entries = Object.keys(map)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(map[key] ?? null)}`);
  return `{${entries.join(",")}}`;
}
