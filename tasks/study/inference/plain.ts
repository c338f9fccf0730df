/** Reads typed values from pickled plain data. */
import { NdArray } from "../torch/numpy.ts";
import type { Pickled } from "../torch/values.ts";

/** The value at a key of a dict. Throws an Error that names `where` and the key. */
export function field(value: Pickled | undefined, key: string | number, where: string): Pickled {
  const found = optional(value, key);
  if (found === undefined) throw new Error(`${where}: ${key} is missing`);
  return found;
}

/** The value at a key of a dict; undefined if `value` is no dict or has no such key. */
export function optional(value: Pickled | undefined, key: Pickled): Pickled | undefined {
  return value instanceof Map ? value.get(key) : undefined;
}

/** A number (count 1), list, tuple or numpy array of `count` numbers. Throws an Error that begins with `where`. */
export function numbers(value: Pickled, count: 1, where: string): [number];
export function numbers(value: Pickled, count: 3, where: string): [number, number, number];
export function numbers(value: Pickled, count: number, where: string): number[] {
  const list = listOf(value) ?? [value];
  if (list.length !== count || !list.every((v): v is number => typeof v === "number" && Number.isFinite(v))) {
    throw new Error(`${where} is not ${count === 1 ? "a number" : `${count} numbers`}`);
  }
  return list;
}

/** The elements of a list, tuple or numpy array; null for anything else. */
export function listOf(value: Pickled | undefined): Pickled[] | null {
  return value instanceof NdArray ? value.values() : Array.isArray(value) ? value : null;
}

/** Three integers. Throws an Error that begins with `where`. */
export function integers(value: Pickled, count: 3, where: string): [number, number, number] {
  const list = numbers(value, count, where);
  if (!list.every(Number.isInteger)) throw new Error(`${where} is not ${count} integers`);
  return list;
}
