/** How far two contents of one output are apart, in words and numbers. */
import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import type { Json } from "../model/model.ts";
import { arraysIn, type NumberArray } from "./arrays.ts";

/** Numbers that stand in the same places on both sides: how many differ, of how many, by how much at most. */
export interface Numbers {
  readonly numbers: number;
  readonly of: number;
  readonly most: number;
}

export type Distance =
  | { readonly kind: "same" }
  /** Of a folder: a file that one side has not. */
  | { readonly kind: "only"; readonly side: "before" | "after" }
  /** `others`: other values that differ, or are on one side only. */
  | ({ readonly kind: "json"; readonly others: number } & Numbers)
  /** `others`: arrays that have another type or shape, or are on one side only. */
  | ({ readonly kind: "arrays"; readonly others: number } & Numbers)
  /** Lines that only one side has; `numbers` if each line has as many of them on both sides. */
  | {
      readonly kind: "text";
      readonly removed: readonly string[];
      readonly added: readonly string[];
      readonly numbers: Numbers | null;
    }
  /** `differing`: null if it was not counted: the sizes are not the same, or too large. */
  | { readonly kind: "bytes"; readonly differing: number | null; readonly sizes: readonly [number, number] };

/** Bytes of a content that is looked into. */
export const LARGEST = 1 << 30;
/** What is longer fits no string. */
const LONGEST_TEXT = 256 << 20;

/** A gzip file is compared by what is in it. `name` tells what kind of file it is. */
export function contentDistance(name: string, before: Buffer, after: Buffer): Distance {
  if (before.equals(after)) return { kind: "same" };
  const [a, b] = [unzipped(before), unzipped(after)];
  if (name.endsWith(".json")) {
    const [was, is] = [parsed(a), parsed(b)];
    if (was !== undefined && is !== undefined) return jsonDistance(was, is);
  }
  const [was, is] = [arraysIn(name, a), arraysIn(name, b)];
  if (was !== null && is !== null) return arraysDistance(was, is);
  if (isText(a) && isText(b)) return textDistance(a.toString(), b.toString());
  const differing = a.length === b.length ? countDiffering(a, b) : null;
  return { kind: "bytes", differing, sizes: [a.length, b.length] };
}

function unzipped(content: Buffer): Buffer {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  try {
    return gunzipSync(content, { maxOutputLength: LARGEST });
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
  return content.length <= LONGEST_TEXT && isUtf8(content) && !content.includes(0);
}

/** Counts pairs of numbers. */
class Counter {
  readonly found = { numbers: 0, of: 0, most: 0 };

  add(was: number, is: number): void {
    this.found.of += 1;
    if (Object.is(was, is) || was === is) return;
    this.found.numbers += 1;
    // A value that is no number is as far off as can be.
    const apart = Math.abs(is - was);
    this.found.most = Math.max(this.found.most, Number.isNaN(apart) ? Infinity : apart);
  }
}

function jsonDistance(before: Json, after: Json): Distance {
  const counter = new Counter();
  let others = 0;
  const walk = (was: Json | undefined, is: Json | undefined): void => {
    if (typeof was === "number" && typeof is === "number") counter.add(was, is);
    else if (isBranch(was) && isBranch(is)) {
      const [left, right] = [new Map(Object.entries(was)), new Map(Object.entries(is))];
      for (const key of new Set([...left.keys(), ...right.keys()])) walk(left.get(key), right.get(key));
    } else if (was !== is) others += 1;
  };
  walk(before, after);
  return { kind: "json", ...counter.found, others };
}

function arraysDistance(
  before: ReadonlyMap<string, NumberArray>,
  after: ReadonlyMap<string, NumberArray>,
): Distance {
  const counter = new Counter();
  let others = 0;
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === undefined || is?.form !== was.form || is.length !== was.length) others += 1;
    else for (let i = 0; i < was.length; i++) counter.add(was.at(i), is.at(i));
  }
  return { kind: "arrays", ...counter.found, others };
}

function isBranch(value: Json | undefined): value is { readonly [key: string]: Json } | readonly Json[] {
  return typeof value === "object" && value !== null;
}

/** Lines as a bag: one that only moved is no difference. */
function textDistance(before: string, after: string): Distance {
  const [was, is] = [before.split("\n"), after.split("\n")];
  const removed = without(was, is);
  return { kind: "text", removed, added: without(is, was), numbers: numbersDistance(was, is) };
}

const NUMBER = /[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** Null: there are no numbers, or not as many on each line of both. */
function numbersDistance(before: readonly string[], after: readonly string[]): Numbers | null {
  const counter = new Counter();
  if (before.length !== after.length) return null;
  for (const [i, line] of before.entries()) {
    const [was, is] = [numbersIn(line), numbersIn(after[i] ?? "")];
    if (was.length !== is.length) return null;
    for (const [j, value] of was.entries()) counter.add(value, is[j] ?? NaN);
  }
  return counter.found.of === 0 ? null : counter.found;
}

function numbersIn(line: string): readonly number[] {
  return (line.match(NUMBER) ?? []).map(Number);
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
