/**
 * Plans the patch and the network of a dataset. Kernels and strides follow nnU-Net's planner (get_pool_and_conv_props):
 * an axis is halved while it stays at least four voxels long and its voxels are not twice as long as the shortest; its
 * kernels are 1 until then. The patch is as near to a cube in millimetres as the median volume allows.
 */
import type { z } from "zod";
import type { Triple } from "../arrays.ts";
import type { network, planning } from "../params/settings.ts";

export interface NetworkPlan {
  /** (z, y, x) in voxels; each a multiple of the product of the strides. */
  readonly patch: Triple;
  readonly network: z.infer<typeof network>;
}

/** Medians of a dataset, in patient order x, y, z. */
export interface DatasetShape {
  readonly spacing: Triple;
  readonly size: Triple;
}

/** Least length of an axis after it was halved, in voxels. */
const LEAST = 4;
/** Levels of the smallest network that can be trained. */
const LEAST_LEVELS = 3;

export function planNetwork(
  { spacing, size }: DatasetShape,
  { voxels, filters, heads, residual }: z.infer<typeof planning>,
): NetworkPlan {
  const step: [number, number, number] = [spacing[2], spacing[1], spacing[0]];
  const length = patchWithin([size[2], size[1], size[0]], step, voxels);
  const patch = [...length];
  const kernels: [number, number, number][] = [];
  const strides: [number, number, number][] = [];
  let stride: [number, number, number] = [1, 1, 1];
  while (kernels.length < filters.length) {
    stride.forEach((by, axis) => {
      step[axis]! *= by;
      length[axis]! /= by;
    });
    strides.push(stride);
    const before = kernels.at(-1);
    kernels.push(each((axis) => (before?.[axis] === 3 || isFine(step, axis, [0, 1, 2]) ? 3 : 1)));
    const long = [0, 1, 2].filter((axis) => length[axis]! >= 2 * LEAST);
    const halved = long.filter((axis) => isFine(step, axis, long));
    // An axis alone is halved only while it is three times as long as the least.
    const stops = halved.length === 1 && length[halved[0]!]! < 3 * LEAST;
    stride = each((axis) => (halved.includes(axis) && !stops ? 2 : 1));
    if (!stride.includes(2) && kernels.length >= LEAST_LEVELS) break;
  }
  const whole = each((axis) => {
    const multiple = strides.reduce((product, by) => product * by[axis], 1);
    return Math.max(1, Math.round(patch[axis]! / multiple)) * multiple;
  });
  const levels = kernels.length;
  const deep = Math.min(heads, levels - 2);
  return {
    patch: whole,
    network: { kernels, strides, filters: filters.slice(0, levels), heads: deep, residual },
  };
}

/** Lengths in voxels: at most those of the volume, otherwise equal in millimetres, with about so many voxels in all. */
function patchWithin(size: Triple, step: Triple, voxels: number): [number, number, number] {
  const ofEdge = (mm: number) => each((axis) => Math.max(1, Math.min(size[axis], mm / step[axis])));
  const volume = (mm: number) => ofEdge(mm).reduce((product, n) => product * n, 1);
  let [low, high] = [0, Math.max(...size.map((n, axis) => n * step[axis]!))];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (volume(middle) > voxels) high = middle;
    else low = middle;
  }
  return ofEdge(high);
}

/** Whether the voxels are less than twice as long along the axis as along the finest of `others`. */
function isFine(step: Triple, axis: number, others: readonly number[]): boolean {
  return step[axis]! / Math.min(...others.map((other) => step[other]!)) < 2;
}

function each(of: (axis: 0 | 1 | 2) => number): [number, number, number] {
  return [of(0), of(1), of(2)];
}
