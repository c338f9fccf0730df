/**
 * TotalSegmentator's resampling. The centres of the corner voxels keep their places. Unlike nnU-Net's it does not clip
 * and does not resample thick slices one by one.
 * Reference: wasserth/TotalSegmentator totalsegmentator/resampling.py (scipy.ndimage.zoom with mode "nearest").
 */
import type { Triple } from "../arrays.ts";
import { affineOf, columns } from "../volume/affine.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";
import type { Order } from "./axis.ts";
import type { ResampleCrew } from "./crew.ts";
import { nearestLabelArray } from "./labels.ts";
import { targetShape } from "./nnunet.ts";
import { resize } from "./resize.ts";

/** The image at about the given spacing (x, y, z in mm). Values are truncated, not rounded, to whole numbers. */
export async function resampleImageByCorners(
  volume: Volume,
  spacing: Triple,
  order: Order,
  crew?: ResampleCrew,
): Promise<Volume<Int32Array>> {
  const { size, affine } = volume;
  const shape = targetShape(size, volume.spacing, spacing);
  const newSize = shape.map((n) => Math.max(1, n)) as [number, number, number];
  const values = await resize(
    volume.data,
    [size[2], size[1], size[0]],
    [newSize[2], newSize[1], newSize[0]],
    { orders: [order, order, order], alignment: "corners" },
    Float64Array,
    crew,
  );
  const factors = newSize.map((n, axis) => (n > 1 ? (size[axis]! - 1) / (n - 1) : 1));
  const steps = columns(affine).map((c, axis) => c.map((v) => v * factors[axis]!));
  return {
    // This conversion truncates.
    data: new Int32Array(values),
    size: newSize,
    spacing: volume.spacing.map((s, axis) => s * factors[axis]!) as [number, number, number],
    affine: affineOf(steps as unknown as [Triple, Triple, Triple], [affine[3]!, affine[7]!, affine[11]!]),
  };
}

/** Labels back on the original grid. Each voxel takes the nearest label. */
export async function resampleLabelsByCorners(
  volume: LabelVolume,
  grid: Grid,
  crew?: ResampleCrew,
): Promise<LabelVolume> {
  const [from, to] = [volume.size, grid.size];
  const data = await nearestLabelArray(volume.data, [from[2], from[1], from[0]], [to[2], to[1], to[0]], crew);
  return { ...grid, data };
}
