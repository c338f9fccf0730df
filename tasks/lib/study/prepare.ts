/** Volumes on the grid that a network is trained on: canonical axes, a given spacing, normalised. */
import { resampleLabelArray } from "../resample/labels.ts";
import { resampleImageArray, separateAxis, targetShape } from "../resample/nnunet.ts";
import { toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { Normalisation } from "./settings.ts";

type Triple = readonly [number, number, number];

/** Resampled as nnU-Net does (cubic splines; slice by slice where slices are thick), then clipped and scaled. */
export function prepareImage(
  image: Volume,
  spacing: Triple,
  { clip, mean, std }: Normalisation,
): Volume<Float32Array> {
  const canonical = toCanonical(image);
  const { shape, newShape, separate } = resampling(canonical, spacing);
  const resampled = resampleImageArray(canonical.data, shape, newShape, { separate, result: Float32Array });
  const data = resampled.map((hu) => (Math.min(clip[1], Math.max(clip[0], hu)) - mean) / std);
  return { ...gridOf(canonical, reversed(newShape)), data };
}

/** The same grid for labels: each voxel takes the label that has at least half of it, the higher of two. */
export function prepareLabels(labels: LabelVolume, spacing: Triple): LabelVolume {
  const canonical = toCanonical(labels);
  const { shape, newShape, separate } = resampling(canonical, spacing);
  const data = resampleLabelArray(canonical.data, shape, newShape, separate);
  return { ...gridOf(canonical, reversed(newShape)), data };
}

/** Shapes and spacings in C order (z, y, x). */
function resampling(volume: Volume, spacing: Triple) {
  const [from, to] = [reversed(volume.spacing), reversed(spacing)];
  const shape = reversed(volume.size);
  const wanted = targetShape(shape, from, to);
  const newShape: Triple = [Math.max(1, wanted[0]), Math.max(1, wanted[1]), Math.max(1, wanted[2])];
  return { shape, newShape, separate: separateAxis(from, to) };
}

/** Another number of voxels over the same extent: outer edges stay where they are. */
function gridOf({ size, spacing, affine }: Volume, newSize: Triple): Omit<Volume, "data"> {
  const factor = (axis: 0 | 1 | 2) => size[axis] / newSize[axis];
  const factors: Triple = [factor(0), factor(1), factor(2)];
  const moved = affine.map((value, i) => {
    const [row, column] = [Math.floor(i / 4), i % 4];
    if (row === 3) return value;
    if (column < 3) return value * (factors[column] ?? 1);
    return factors.reduce((sum, f, axis) => sum + ((f - 1) / 2) * (affine[row * 4 + axis] ?? 0), value);
  });
  return {
    size: newSize,
    spacing: [spacing[0] * factors[0], spacing[1] * factors[1], spacing[2] * factors[2]],
    affine: moved,
  };
}

const reversed = ([a, b, c]: Triple): Triple => [c, b, a];
