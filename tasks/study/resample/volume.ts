/** Resamples volumes to another spacing by nnU-Net's rules and adapts their affine. */
import type { Triple } from "../arrays.ts";
import { affineOf, apply, columns } from "../volume/affine.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";
import { resampleLabelArray } from "./labels.ts";
import { resampleImageArray, separateAxis, targetShape } from "./nnunet.ts";

/**
 * The grid over the same box of the world with voxels of about the given spacing (x, y, z in mm). Sizes are rounded to
 * whole voxels, at least one; the resulting spacing divides the box exactly.
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

/** Resamples by cubic splines, clipped to the image's range. Thick slices are resampled one by one (separateAxis). */
export async function resampleImage(volume: Volume, spacing: Triple): Promise<Volume<Float32Array>> {
  const { grid, shape, newShape, separate } = resampling(volume, spacing);
  const data = await resampleImageArray(volume.data, shape, newShape, { separate, result: Float32Array });
  return { ...grid, data };
}

/** Resamples each label's indicator linearly. A voxel takes the label whose indicator reaches one half. */
export async function resampleLabels(volume: LabelVolume, spacing: Triple): Promise<LabelVolume> {
  const { grid, shape, newShape, separate } = resampling(volume, spacing);
  return { ...grid, data: await resampleLabelArray(volume.data, shape, newShape, separate) };
}

function resampling(volume: Volume, spacing: Triple) {
  const grid = gridAt(volume, spacing);
  const separate = separateAxis(reversed(volume.spacing), reversed(spacing));
  return { grid, shape: reversed(volume.size), newShape: reversed(grid.size), separate };
}

/** Reverses x, y, z to z, y, x, the axes of an array in C order. */
function reversed([x, y, z]: Triple): [number, number, number] {
  return [z, y, x];
}
