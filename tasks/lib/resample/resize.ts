/** Resamples a three-dimensional array to another shape, axis by axis. */
import { type Alignment, axisMap, type Order } from "./axis.ts";
import { type Border, resampleAxis, type Samples } from "./spline.ts";

/** Lengths along the axes of an array in C order: axis 2 runs fastest. A volume's are (z, y, x). */
export type Shape = readonly [number, number, number];

export interface ResizeOptions {
  /** Along each axis; an axis whose length stays is left alone. */
  readonly orders: readonly [Order, Order, Order];
  readonly alignment: Alignment;
  /** "edge" by default. */
  readonly border?: Border;
}

/** The resampled array, in the type asked for; all arithmetic is in double precision. */
export function resize<T extends Float32Array | Float64Array>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  { orders, alignment, border = "edge" }: ResizeOptions,
  result: new (length: number) => T,
): T {
  // Axes that become shorter come first: the others then have less to do.
  const axes = ([0, 1, 2] as const)
    .filter((axis) => shape[axis] !== newShape[axis])
    .sort((a, b) => newShape[a] / shape[a] - newShape[b] / shape[b]);
  const now = [...shape] as [number, number, number];
  let values = data;
  axes.forEach((axis, pass) => {
    const map = axisMap(shape[axis], newShape[axis], orders[axis], alignment);
    now[axis] = newShape[axis];
    const length = now[0] * now[1] * now[2];
    const target = pass === axes.length - 1 ? new result(length) : new Float64Array(length);
    const outer = now.slice(0, axis).reduce((a, b) => a * b, 1);
    const inner = now.slice(axis + 1).reduce((a, b) => a * b, 1);
    resampleAxis(values, target, map, outer, inner, border);
    values = target;
  });
  if (values instanceof result) return values;
  const copy = new result(values.length);
  copy.set(values);
  return copy;
}
