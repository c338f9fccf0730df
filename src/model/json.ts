/** Looks into JSON values. */
import type { Json } from "./model.ts";

/** The value at a key of a map or at an index of a list; undefined if there is none. */
export function child(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
  return (value as { readonly [key: string]: Json })[key];
}

export function keysOf(value: Json): string[] {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
}
