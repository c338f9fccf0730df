/** Runs a converted network on a golden input. */
import type { Backend } from "../../tasks/study/nn/backend.ts";
import { openNetwork } from "../../tasks/study/nn/network.ts";

export async function run(
  model: string,
  input: Float32Array,
  shape: readonly number[],
  backend: Backend["backend"] = "onnx",
): Promise<Float32Array> {
  const network = await openNetwork(model, { backend });
  const { output } = await network.run({ input: { shape, data: input } });
  return output!.data;
}

/** Greatest absolute difference; Infinity for other lengths, NaN as soon as one difference is NaN. */
export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(difference)) return NaN;
    if (difference > worst) worst = difference;
  }
  return worst;
}

/** Cuts a window from a (channels, z, y, x) array. A smaller array is padded with zeros on both sides. */
export function cutWindow(
  data: ArrayLike<number>,
  shape: readonly number[],
  start: readonly number[],
  patch: readonly number[],
): Float32Array {
  const [c, ...size] = shape;
  const offset = size.map((n, i) => start[i]! - Math.floor(Math.max(0, patch[i]! - n) / 2));
  const result = new Float32Array(c! * patch[0]! * patch[1]! * patch[2]!);
  let n = 0;
  for (let k = 0; k < c!; k++)
    for (let z = 0; z < patch[0]!; z++)
      for (let y = 0; y < patch[1]!; y++)
        for (let x = 0; x < patch[2]!; x++, n++) {
          const at = [z + offset[0]!, y + offset[1]!, x + offset[2]!];
          if (at.some((v, i) => v < 0 || v >= size[i]!)) continue;
          result[n] = data[((k * size[0]! + at[0]!) * size[1]! + at[1]!) * size[2]! + at[2]!]!;
        }
  return result;
}

/** Concatenates arrays. */
export function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Fraction of the elements that differ. */
export function differing(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return 1;
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count / a.length;
}

/** Splits `values` into `count` arrays of equal length. */
export function split(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
}
