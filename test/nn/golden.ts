/** Reads golden arrays of networks and measures the distance of results from them. */
import type { NpyArray } from "../helpers/npz.ts";

/** Converts all arrays to float32. */
export function floats(arrays: Map<string, NpyArray>): Map<string, Float32Array> {
  return new Map([...arrays].map(([name, { data }]) => [name, Float32Array.from(data)]));
}

type Named = ReadonlyMap<string, ArrayLike<number>>;

/** ‖a − b‖ / ‖b‖, over all arrays together. */
export function relativeL2(a: Named, b: Named): number {
  let difference = 0;
  let norm = 0;
  for (const [name, expected] of b) {
    const values = valuesOf(a, name, expected.length);
    for (let i = 0; i < expected.length; i++) {
      difference += (values[i]! - expected[i]!) ** 2;
      norm += expected[i]! ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

export function largestDifference(a: Named, b: Named): number {
  let largest = 0;
  for (const [name, expected] of b) {
    const values = valuesOf(a, name, expected.length);
    for (let i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(values[i]! - expected[i]!));
    }
  }
  return largest;
}

function valuesOf(arrays: Named, name: string, length: number): ArrayLike<number> {
  const values = arrays.get(name);
  if (values?.length !== length) throw new Error(`${name}: ${values?.length} values, expected ${length}`);
  return values;
}
