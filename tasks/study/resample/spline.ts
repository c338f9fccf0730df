/**
 * Resamples an array along one axis. A cubic B-spline needs its coefficients first, by a recursive filter forth and
 * back along each line, which is continued with its edge values.
 * Source: Unser, Splines: a perfect fit for signal and image processing (1999).
 */
import type { VoxelArray } from "../volume/volume.ts";
import { type AxisMap, BLOCK, MARGIN } from "./axis.ts";
import { linearAxis } from "./linear.ts";

export type Samples = VoxelArray;

/** What splines find beyond the ends of a line: its edge values, or the line mirrored about its first and last sample. */
export type Border = "edge" | "mirror";

/** One axis of an array to resample: `source` is (outer, map.from, inner) in C order, `target` (outer, map.to, inner). */
export interface AxisPass {
  readonly source: Samples;
  readonly target: Float32Array | Float64Array;
  readonly map: AxisMap;
  readonly outer: number;
  readonly inner: number;
  readonly border: Border;
}

/** How many blocks of lines a pass has: lines are worked on in blocks that stay in the processor's cache. */
export function blockCount({ outer, inner }: AxisPass): number {
  return inner === 1 ? Math.ceil(outer / BLOCK) : outer * Math.ceil(inner / BLOCK);
}

/** Works out the blocks from `first` to before `end`, all by default. */
export function resampleAxis(pass: AxisPass, first = 0, end = blockCount(pass)): void {
  const { source, target, map, outer, inner, border } = pass;
  if (map.taps < 4) return linearAxis(pass, first, end);
  const block = new Float64Array((map.from + 2 * MARGIN) * BLOCK);
  const alongRows = inner === 1;
  const lines = alongRows ? outer : inner;
  const blocks = Math.ceil(lines / BLOCK);
  for (let b = first; b < end; b++) {
    const o = Math.floor(b / blocks);
    const line = (b % blocks) * BLOCK;
    const width = Math.min(BLOCK, lines - line);
    const read = alongRows
      ? { at: line * map.from, step: 1, line: map.from }
      : { at: o * map.from * inner + line, step: inner, line: 1 };
    const write = alongRows
      ? { at: line * map.to, step: 1, line: map.to }
      : { at: o * map.to * inner + line, step: inner, line: 1 };
    load(source, read, block, map.from, width);
    if (border === "mirror") toMirroredCoefficients(block, map.from, width);
    else toCoefficients(block, map.from, width);
    evaluate(block, map, width, target, write);
  }
}

/** Sample n of line b stands at `at` + n·`step` + b·`line`. */
interface Layout {
  readonly at: number;
  readonly step: number;
  readonly line: number;
}

function load(
  source: Samples,
  { at, step, line }: Layout,
  block: Float64Array,
  n: number,
  width: number,
): void {
  for (let i = 0; i < n; i++) {
    const row = (i + MARGIN) * BLOCK;
    const from = at + i * step;
    for (let b = 0; b < width; b++) block[row + b] = source[from + b * line]!;
  }
}

const POLE = Math.sqrt(3) - 2;

/**
 * Samples to coefficients of the spline through them, margins included. With x constant beyond the ends, the
 * filters' states there are known in closed form: forth, x₀/(1 - p) at the beginning; back, at the end,
 * -p·X/(1 - p)² - p·e/(1 - p²), e being by how much the last state differs from its limit X/(1 - p).
 */
function toCoefficients(block: Float64Array, n: number, width: number): void {
  const p = POLE;
  const gain = 6;
  const begin = MARGIN * BLOCK;
  const end = (MARGIN + n - 1) * BLOCK;
  for (let b = 0; b < width; b++) {
    const edge = (gain * block[begin + b]!) / (1 - p);
    const lastSample = gain * block[end + b]!;
    block[b] = block[BLOCK + b] = edge;
    block[begin + b] = edge;
    block[end + BLOCK + b] = lastSample;
  }
  // Where the line has one sample, the first is the last, and its state is the limit.
  for (let row = begin + BLOCK; row <= end; row += BLOCK) {
    for (let b = 0; b < width; b++) block[row + b] = gain * block[row + b]! + p * block[row - BLOCK + b]!;
  }
  for (let b = 0; b < width; b++) {
    const limit = block[end + BLOCK + b]! / (1 - p);
    const rest = block[end + b]! - limit;
    const settled = (-p * limit) / (1 - p);
    const fading = (-p * rest) / (1 - p * p);
    block[end + b] = settled + fading;
    block[end + BLOCK + b] = settled + fading * p;
    block[end + 2 * BLOCK + b] = settled + fading * p * p;
  }
  for (let row = end - BLOCK; row >= 0; row -= BLOCK) {
    for (let b = 0; b < width; b++) block[row + b] = p * (block[row + BLOCK + b]! - block[row + b]!);
  }
}

/**
 * The same with the line mirrored at both ends, so that the coefficients are too: both filters' first states are then
 * finite sums over one period, 2n - 2 samples.
 */
function toMirroredCoefficients(block: Float64Array, n: number, width: number): void {
  const at = (i: number, b: number) => (i + MARGIN) * BLOCK + b;
  for (let b = 0; n > 1 && b < width; b++) {
    const p = POLE;
    let first = 0;
    for (let k = 0; k < 2 * n - 2; k++) first += p ** k * block[at(k < n ? k : 2 * n - 2 - k, b)]!;
    block[at(0, b)] = (6 * first) / (1 - p ** (2 * n - 2));
    for (let i = 1; i < n; i++) block[at(i, b)] = 6 * block[at(i, b)]! + p * block[at(i - 1, b)]!;
    block[at(n - 1, b)] = (p / (p * p - 1)) * (block[at(n - 1, b)]! + p * block[at(n - 2, b)]!);
    for (let i = n - 2; i >= 0; i--) block[at(i, b)] = p * (block[at(i + 1, b)]! - block[at(i, b)]!);
  }
  for (let m = 1; m <= MARGIN; m++) {
    for (let b = 0; b < width; b++) {
      block[at(-m, b)] = block[at(mirrored(-m, n), b)]!;
      block[at(n - 1 + m, b)] = block[at(mirrored(n - 1 + m, n), b)]!;
    }
  }
}

/** Where sample i, maybe beyond the ends, stands in a line of n that is mirrored about its first and last sample. */
export function mirrored(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * n - 2;
  const place = ((i % period) + period) % period;
  return place < n ? place : period - place;
}

function evaluate(
  block: Float64Array,
  { to, first, weights }: AxisMap,
  width: number,
  target: Float32Array | Float64Array,
  { at, step, line }: Layout,
): void {
  for (let i = 0; i < to; i++) {
    const row = first[i]! * BLOCK;
    const write = at + i * step;
    const [w0, w1, w2, w3] = [weights[4 * i]!, weights[4 * i + 1]!, weights[4 * i + 2]!, weights[4 * i + 3]!];
    for (let b = 0; b < width; b++) {
      target[write + b * line] =
        w0 * block[row + b]! +
        w1 * block[row + BLOCK + b]! +
        w2 * block[row + 2 * BLOCK + b]! +
        w3 * block[row + 3 * BLOCK + b]!;
    }
  }
}
