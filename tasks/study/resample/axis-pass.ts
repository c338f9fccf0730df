/** One pass of a resampling: along one axis of an array, line by line. */
import type { VoxelArray } from "../volume/volume.ts";
import { type AxisMap, BLOCK } from "./axis.ts";

export type Samples = VoxelArray;

/**
 * What splines find beyond the ends of a line: its edge values, or the line mirrored about its first and last sample.
 */
export type Border = "edge" | "mirror";

/**
 * One axis of an array to resample: `source` is (outer, map.from, inner) in C order, `target` (outer, map.to, inner).
 */
export interface AxisPass {
  readonly source: Samples;
  readonly target: Float32Array | Float64Array;
  readonly map: AxisMap;
  readonly outer: number;
  readonly inner: number;
  /** Only cubic splines look beyond the ends; the others always continue with the edge values. */
  readonly border: Border;
}

/** Number of blocks of lines in a pass. A block of BLOCK lines stays in the processor's cache. */
export function blockCount({ outer, inner }: AxisPass): number {
  return inner === 1 ? Math.ceil(outer / BLOCK) : outer * Math.ceil(inner / BLOCK);
}
