/** How far two contents of one output are apart, in words and numbers. */
import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import type { Json } from "../model.ts";

export type Distance =
  | { readonly kind: "same" }
  /** Of JSON: how many numbers differ, by how much at most, and how many other values differ or are on one side only. */
  | {
      readonly kind: "json";
      readonly numbers: number;
      readonly of: number;
      readonly most: number;
      readonly others: number;
    }
  /** Of text: lines that only one side has. */
  | { readonly kind: "text"; readonly removed: readonly string[]; readonly added: readonly string[] }
  | { readonly kind: "bytes"; readonly differing: number | null; readonly sizes: readonly [number, number] };

/** A gzip file is compared by what is in it. `name` tells JSON from other text. */
export function contentDistance(name: string, before: Buffer, after: Buffer): Distance {
  if (before.equals(after)) return { kind: "same" };
  const [a, b] = [unzipped(before), unzipped(after)];
  if (name.endsWith(".json")) {
    const [was, is] = [parsed(a), parsed(b)];
    if (was !== undefined && is !== undefined) return jsonDistance(was, is);
  }
  if (isText(a) && isText(b)) return textDistance(a.toString(), b.toString());
  const differing = a.length === b.length ? countDiffering(a, b) : null;
  return { kind: "bytes", differing, sizes: [a.length, b.length] };
}

function unzipped(content: Buffer): Buffer {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  try {
    return gunzipSync(content);
  } catch {
    return content; // no gzip after all, or more than fits
  }
}

function parsed(content: Buffer): Json | undefined {
  try {
    return JSON.parse(content.toString()) as Json;
  } catch {
    return undefined;
  }
}

function isText(content: Buffer): boolean {
  return isUtf8(content) && !content.includes(0);
}

function jsonDistance(before: Json, after: Json): Distance {
  let [numbers, of, most, others] = [0, 0, 0, 0];
  const walk = (was: Json | undefined, is: Json | undefined): void => {
    if (typeof was === "number" && typeof is === "number") {
      of += 1;
      if (was === is) return;
      numbers += 1;
      most = Math.max(most, Math.abs(is - was));
    } else if (isBranch(was) && isBranch(is)) {
      const [left, right] = [new Map(Object.entries(was)), new Map(Object.entries(is))];
      for (const key of new Set([...left.keys(), ...right.keys()])) walk(left.get(key), right.get(key));
    } else if (was !== is) others += 1;
  };
  walk(before, after);
  return { kind: "json", numbers, of, most, others };
}

function isBranch(value: Json | undefined): value is { readonly [key: string]: Json } | readonly Json[] {
  return typeof value === "object" && value !== null;
}

/** Lines as a bag: one that only moved is no difference. */
function textDistance(before: string, after: string): Distance {
  const [was, is] = [before.split("\n"), after.split("\n")];
  return { kind: "text", removed: without(was, is), added: without(is, was) };
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function countDiffering(a: Buffer, b: Buffer): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count += 1;
  return count;
}
