/** Volumes on the grid that a network is trained on: canonical axes, a given spacing, normalised. */
import type { Triple } from "../arrays.ts";
import { resampleImage, resampleLabels } from "./volume.ts";
import { toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { Normalisation } from "../params/settings.ts";

/** Resampled as nnU-Net does (cubic splines; slice by slice where slices are thick), then clipped and scaled. */
export async function prepareImage(
  image: Volume,
  spacing: Triple,
  { clip, mean, std }: Normalisation,
): Promise<Volume<Float32Array>> {
  const resampled = await resampleImage(toCanonical(image), spacing);
  const data = resampled.data.map((hu) => (Math.min(clip[1], Math.max(clip[0], hu)) - mean) / std);
  return { ...resampled, data };
}

/** The same grid for labels: each voxel takes the label that has at least half of it, the higher of two. */
export function prepareLabels(labels: LabelVolume, spacing: Triple): Promise<LabelVolume> {
  return resampleLabels(toCanonical(labels), spacing);
}
