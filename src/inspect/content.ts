/** Compares two contents of one output: finds the kind and the size of the difference. */
import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import type { Json } from "../model/model.ts";
import { arraysIn, type NumberArray } from "./arrays.ts";

/** Numbers at the same places on both sides: how many differ, of how many, and the largest difference. */
export interface Numbers {
  readonly numbers: number;
  readonly of: number;
  readonly most: number;
}

export type Distance =
  | { readonly kind: "same" }
  /** A file of a folder that only one side has. */
  | { readonly kind: "only"; readonly side: "before" | "after" }
  /** `others`: values that are not numbers and differ, or that only one side has. */
  | ({ readonly kind: "json"; readonly others: number } & Numbers)
  /** `others`: arrays with different types or shapes, or that only one side has. */
  | ({ readonly kind: "arrays"; readonly others: number } & Numbers)
  /** Lines that only one side has. `numbers` is null if a line has different counts of numbers on the two sides. */
  | {
      readonly kind: "text";
      readonly removed: readonly string[];
      readonly added: readonly string[];
      readonly numbers: Numbers | null;
    }
  /** `differing`: null if not counted, because the sizes differ or are too large. */
  | { readonly kind: "bytes"; readonly differing: number | null; readonly sizes: readonly [number, number] };

/** lq compares contents in detail up to this many bytes. */
export const LARGEST = 1 << 30;
/** lq reads texts up to this many bytes, because a JavaScript string cannot be much longer. */
const LONGEST_TEXT = 256 << 20;

/** Compares gzip files by their uncompressed content. The file's kind follows from `name`. */
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
    return content; // not gzip, or too large
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
    // A difference from NaN counts as infinite.
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

/** Compares lines without their order: a line that only moved is no difference. */
function textDistance(before: string, after: string): Distance {
  const [was, is] = [before.split("\n"), after.split("\n")];
  const removed = without(was, is);
  return { kind: "text", removed, added: without(is, was), numbers: numbersDistance(was, is) };
}

const NUMBER = /[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** Null: there are no numbers, or a line has different counts of numbers on the two sides. */
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
