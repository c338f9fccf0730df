/**
 * Resamples an array along one axis by cubic B-splines. A spline needs its coefficients first: a recursive filter
 * runs forward and backward along each line. Beyond its ends a line continues with its edge values, or mirrored.
 * Source: Unser, Splines: a perfect fit for signal and image processing (1999).
 */
import type { AxisPass, Samples } from "./axis-pass.ts";
import { type AxisMap, BLOCK, MARGIN } from "./axis.ts";

/** Resamples the blocks of lines from `first` to before `end`, by cubic B-splines (`map` has four taps). */
export function splineAxis(
  { source, target, map, outer, inner, border }: AxisPass,
  first: number,
  end: number,
): void {
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

/** Sample n of line b is at index `at` + n·`step` + b·`line`. */
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
 * Turns samples into the coefficients of the spline through them, margins included. The line x is constant beyond its
 * ends, so the filters' states there have a closed form. Forward: x₀/(1 - p) at the beginning. Backward:
 * -p·X/(1 - p)² - p·e/(1 - p²) at the end, where X is six times the last sample (6 is the filters'
 * gain) and e is the last forward state minus its limit X/(1 - p).
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
  // A line of one sample skips this loop: its first state is its last, and equals the limit.
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
 * The same for a line mirrored at both ends. Its coefficients are mirrored too, so the first state of each filter is a
 * finite sum over one period of 2n - 2 samples.
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

/**
 * The index (0 to n - 1) of the sample that stands at place i of a line of n samples mirrored about its first and
 * last one; i may lie beyond the ends.
 */
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
