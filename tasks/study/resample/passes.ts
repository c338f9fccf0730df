/** The passes of a resampling, along one axis after the other. */
import type { Shape } from "../arrays.ts";
import { type Alignment, type AxisMap, axisMap, type Order } from "./axis.ts";
import type { AxisPass, Border, Samples } from "./spline.ts";

export interface ResizeOptions {
  /** Along each axis; an axis whose length stays is left alone. */
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

export interface MappedAxis {
  readonly axis: 0 | 1 | 2;
  readonly map: AxisMap;
}

/** Of the axes that change, in the order to take them: those that become shorter first, the others have less to do. */
export function axisMaps(shape: Shape, newShape: Shape, { orders, alignment }: ResizeOptions): MappedAxis[] {
  return ([0, 1, 2] as const)
    .filter((axis) => shape[axis] !== newShape[axis])
    .sort((a, b) => newShape[a] / shape[a] - newShape[b] / shape[b])
    .map((axis) => ({ axis, map: axisMap(shape[axis], newShape[axis], orders[axis], alignment) }));
}

/** One axis after the other; only the last result is of the type asked for, the others are in double precision. */
export function* passes<T extends Floats>(
  data: Samples,
  shape: Shape,
  maps: readonly MappedAxis[],
  border: Border = "edge",
  type: FloatType<T>,
  allocate: <F extends Floats>(type: FloatType<F>, length: number) => F,
): Generator<AxisPass> {
  const now = [...shape] as [number, number, number];
  let source = data;
  for (const [i, { axis, map }] of maps.entries()) {
    now[axis] = map.to;
    const length = now[0] * now[1] * now[2];
    const target = i === maps.length - 1 ? allocate(type, length) : allocate(Float64Array, length);
    const outer = now.slice(0, axis).reduce((a, b) => a * b, 1);
    const inner = now.slice(axis + 1).reduce((a, b) => a * b, 1);
    yield { source, target, map, outer, inner, border };
    source = target;
  }
}

/** The values themselves where they are of that type, else a converted copy. */
export function inType<T extends Floats>(values: Samples, type: FloatType<T>): T {
  if (values instanceof type) return values;
  const copy = new type(values.length);
  copy.set(values);
  return copy;
}
