/** Resamples a three-dimensional array to another shape, axis by axis. */
import type { Shape } from "../arrays.ts";
import { parts, shared, sharedArray } from "../threads/crew.ts";
import { alone, MANY, SHARES, type ResampleCrew } from "./crew.ts";
import { axisMaps, type Floats, type FloatType, inType, passes, type ResizeOptions } from "./passes.ts";
import { blockCount, type Samples } from "./spline.ts";

/** The resampled array, in the type asked for (maybe in shared memory); all arithmetic is in double precision. */
export async function resize<T extends Floats>(
  data: Samples,
  shape: Shape,
  newShape: Shape,
  options: ResizeOptions,
  type: FloatType<T>,
  crew: ResampleCrew = alone,
): Promise<T> {
  const maps = axisMaps(shape, newShape, options);
  const together = crew.threads > 1 && newShape[0] * newShape[1] * newShape[2] >= MANY;
  let values: Samples = together && maps.length > 0 ? shared(data) : data;
  const allocate = <F extends Floats>(of: FloatType<F>, length: number) =>
    together ? sharedArray(of, length) : new of(length);
  for (const pass of passes(values, shape, maps, options.border, type, allocate)) {
    const cut = parts(blockCount(pass), together ? SHARES * crew.threads : 1);
    await crew.work(cut.map((part) => ({ kind: "axis", pass, ...part })));
    values = pass.target;
  }
  return inType(values, type);
}
