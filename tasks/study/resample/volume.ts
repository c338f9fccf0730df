/** Resamples volumes to another spacing by nnU-Net's rules, affine included. */
import type { Triple } from "../arrays.ts";
import { affineOf, apply, columns } from "../volume/affine.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";
import { resampleLabelArray } from "./labels.ts";
import { resampleImageArray, separateAxis, targetShape } from "./nnunet.ts";

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
export async function resampleImage(volume: Volume, spacing: Triple): Promise<Volume<Float32Array>> {
  const { grid, shape, newShape, separate } = resampling(volume, spacing);
  const data = await resampleImageArray(volume.data, shape, newShape, { separate, result: Float32Array });
  return { ...grid, data };
}

/** Each label's indicator linearly; a voxel takes the label that reaches one half. */
export async function resampleLabels(volume: LabelVolume, spacing: Triple): Promise<LabelVolume> {
  const { grid, shape, newShape, separate } = resampling(volume, spacing);
  return { ...grid, data: await resampleLabelArray(volume.data, shape, newShape, separate) };
}

function resampling(volume: Volume, spacing: Triple) {
  const grid = gridAt(volume, spacing);
  const separate = separateAxis(reversed(volume.spacing), reversed(spacing));
  return { grid, shape: reversed(volume.size), newShape: reversed(grid.size), separate };
}

/** From x, y, z to the axes of an array in C order, z, y, x. */
function reversed([x, y, z]: Triple): [number, number, number] {
  return [z, y, x];
}
