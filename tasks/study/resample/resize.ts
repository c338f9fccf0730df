/** Resamples a three-dimensional array to another shape, one axis after the other. */
import type { Shape } from "../arrays.ts";
import { parts, shared, sharedArray } from "../threads/crew.ts";
import { type AxisPass, blockCount, type Border, type Samples } from "./axis-pass.ts";
import { type Alignment, type AxisMap, axisMap, type Order } from "./axis.ts";
import { alone, MANY, SHARES, type ResampleCrew } from "./crew.ts";

export interface ResizeOptions {
  /** Interpolation along each axis. An axis that keeps its length is not resampled. */
  readonly orders: readonly [Order, Order, Order];
  readonly alignment: Alignment;
  /** "edge" by default. */
  readonly border?: Border;
}

export type Floats = Float32Array | Float64Array;

export interface FloatType<T extends Floats> {
  readonly BYTES_PER_ELEMENT: number;
  new (from: number | SharedArrayBuffer): T;
}

/**
 * The array resampled from `shape` to `newShape` (both in C order), in the type asked for, maybe in shared memory.
 * All arithmetic is in double precision; only the last pass writes the type asked for. The axis that shrinks most
 * goes first, so that the later passes have less to do.
 */
export async function resize<T extends Floats>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  { orders, alignment, border = "edge" }: ResizeOptions,
  type: FloatType<T>,
  crew: ResampleCrew = alone,
): Promise<T> {
  const axes = ([0, 1, 2] as const)
    .filter((axis) => shape[axis] !== newShape[axis])
    .sort((a, b) => newShape[a] / shape[a] - newShape[b] / shape[b]);
  const threaded = crew.threads > 1 && newShape[0] * newShape[1] * newShape[2] >= MANY;
  const allocate = <F extends Floats>(of: FloatType<F>, length: number) =>
    threaded ? sharedArray(of, length) : new of(length);

  const now = [...shape] as [number, number, number];
  let source: Samples = threaded && axes.length > 0 ? shared(data) : data;
  for (const [i, axis] of axes.entries()) {
    const map = axisMap(shape[axis], newShape[axis], orders[axis], alignment);
    now[axis] = newShape[axis];
    const target = allocate<Floats>(i === axes.length - 1 ? type : Float64Array, length(now));
    const pass = passAlong(axis, source, target, now, map, border);
    const cut = parts(blockCount(pass), threaded ? SHARES * crew.threads : 1);
    await crew.work(cut.map((part) => ({ kind: "axis", pass, ...part })));
    source = target;
  }
  return inType(source, type);
}

function passAlong(
  axis: 0 | 1 | 2,
  source: Samples,
  target: Floats,
  newShape: Shape,
  map: AxisMap,
  border: Border,
): AxisPass {
  const outer = length(newShape.slice(0, axis));
  const inner = length(newShape.slice(axis + 1));
  return { source, target, map, outer, inner, border };
}

const length = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The values themselves where they have that type, else a converted copy. */
function inType<T extends Floats>(values: Samples, type: FloatType<T>): T {
  if (values instanceof type) return values;
  const copy = new type(values.length);
  copy.set(values);
  return copy;
}
