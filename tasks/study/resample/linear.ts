/** Resamples an array along one axis by the nearest sample or linearly. It reads samples where they lie, uncopied. */
import { BLOCK, MARGIN } from "./axis.ts";
import type { AxisPass, Samples } from "./axis-pass.ts";

type Floats = Float32Array | Float64Array;

/**
 * Resamples the blocks of lines from `first` to before `end` (`map` has one or two taps). Beyond its ends a line
 * continues with its edge values.
 */
export function linearAxis(
  { source, target, map, outer, inner }: AxisPass,
  first: number,
  end: number,
): void {
  const { from, to, taps, first: places, weights } = map;
  const [low, high] = [0, taps - 1].map((tap) =>
    places.map((place) => Math.min(Math.max(place - MARGIN + tap, 0), from - 1)),
  ) as [Int32Array, Int32Array];
  if (inner === 1) {
    for (let line = first * BLOCK; line < Math.min(end * BLOCK, outer); line++) {
      if (taps === 1) pickAlong(source, line * from, low, target, line * to);
      else blendAlong(source, line * from, low, high, weights, target, line * to);
    }
    return;
  }
  const blocks = Math.ceil(inner / BLOCK);
  for (let b = first; b < end; b++) {
    const column = (b % blocks) * BLOCK;
    const width = Math.min(BLOCK, inner - column);
    const read = Math.floor(b / blocks) * from * inner + column;
    const write = Math.floor(b / blocks) * to * inner + column;
    for (let i = 0; i < to; i++) {
      const [a, z, at] = [read + low[i]! * inner, read + high[i]! * inner, write + i * inner];
      if (taps === 1) for (let x = 0; x < width; x++) target[at + x] = source[a + x]!;
      else blend(source, a, z, weights[2 * i]!, weights[2 * i + 1]!, target, at, width);
    }
  }
}

function pickAlong(source: Samples, read: number, places: Int32Array, target: Floats, write: number): void {
  for (let i = 0; i < places.length; i++) target[write + i] = source[read + places[i]!]!;
}

function blendAlong(
  source: Samples,
  read: number,
  low: Int32Array,
  high: Int32Array,
  weights: Float64Array,
  target: Floats,
  write: number,
): void {
  for (let i = 0; i < low.length; i++) {
    target[write + i] =
      weights[2 * i]! * source[read + low[i]!]! + weights[2 * i + 1]! * source[read + high[i]!]!;
  }
}

function blend(
  source: Samples,
  a: number,
  z: number,
  weightA: number,
  weightZ: number,
  target: Floats,
  at: number,
  width: number,
): void {
  for (let x = 0; x < width; x++) target[at + x] = weightA * source[a + x]! + weightZ * source[z + x]!;
}
