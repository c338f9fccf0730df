/** Resamples volumes to another spacing or grid by nnU-Net's rules, affine included. */
import { affineOf, apply, columns, type Triple } from "../volume/affine.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { resampleLabelArray } from "./labels.ts";
import { resampleImageArray, separateAxis, targetShape } from "./nnunet.ts";

/** Where voxels lie. */
export type Grid = Pick<Volume, "size" | "spacing" | "affine">;

/**
 * The grid that covers the same box of the world with voxels of about the given spacing (x, y, z in mm): sizes are
 * rounded to whole voxels, at least one, and the spacing is what then fits the box exactly.
 */
export function gridAt(grid: Grid, spacing: Triple): Grid {
  const shape = targetShape(grid.size, grid.spacing, spacing);
  const size = shape.map((n) => Math.max(1, n)) as [number, number, number];
  const factors = size.map((n, axis) => grid.size[axis]! / n) as [number, number, number];
  const steps = columns(grid.affine).map((c, axis) => c.map((v) => v * factors[axis]!));
  const corner = factors.map((f) => (f - 1) / 2) as [number, number, number];
  return {
    size,
    spacing: grid.spacing.map((s, axis) => s * factors[axis]!) as [number, number, number],
    affine: affineOf(steps as unknown as [Triple, Triple, Triple], apply(grid.affine, corner)),
  };
}

/** By cubic splines, clipped to the image's range; slices one by one where they are thick (separateAxis). */
export function resampleImage(volume: Volume, spacing: Triple): Volume<Float32Array> {
  return imageOn(volume, gridAt(volume, spacing), spacing);
}

/** Each label's indicator linearly; a voxel takes the label that reaches one half. */
export function resampleLabels(volume: LabelVolume, spacing: Triple): LabelVolume {
  return labelsOn(volume, gridAt(volume, spacing), spacing);
}

/** As resampleImage, to a grid that covers the same box of the world, such as the original one. */
export function resampleImageTo(volume: Volume, grid: Grid): Volume<Float32Array> {
  return imageOn(volume, grid, grid.spacing);
}

/** As resampleLabels, to a grid that covers the same box of the world, such as the original one. */
export function resampleLabelsTo(volume: LabelVolume, grid: Grid): LabelVolume {
  return labelsOn(volume, grid, grid.spacing);
}

function imageOn(volume: Volume, grid: Grid, spacing: Triple): Volume<Float32Array> {
  const data = resampleImageArray(volume.data, reversed(volume.size), reversed(grid.size), {
    separate: separateAxis(reversed(volume.spacing), reversed(spacing)),
    result: Float32Array,
  });
  return { ...grid, data };
}

function labelsOn(volume: LabelVolume, grid: Grid, spacing: Triple): LabelVolume {
  const separate = separateAxis(reversed(volume.spacing), reversed(spacing));
  const data = resampleLabelArray(volume.data, reversed(volume.size), reversed(grid.size), separate);
  return { ...grid, data };
}

/** From x, y, z to the axes of an array in C order, z, y, x. */
function reversed([x, y, z]: Triple): [number, number, number] {
  return [z, y, x];
}
