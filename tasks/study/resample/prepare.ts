/** Brings volumes to the grid that a network is trained on: canonical axes, a given spacing, normalised intensities. */
import type { Triple } from "../arrays.ts";
import { resampleImage, resampleLabels } from "./volume.ts";
import { toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { Normalisation } from "../params/settings.ts";

/** The image in canonical axes at `spacing` (x, y, z in mm), resampled as by nnU-Net, then clipped and scaled. */
export async function prepareImage(
  image: Volume,
  spacing: Triple,
  { clip, mean, std }: Normalisation,
): Promise<Volume<Float32Array>> {
  const resampled = await resampleImage(toCanonical(image), spacing);
  const data = resampled.data.map((hu) => (Math.min(clip[1], Math.max(clip[0], hu)) - mean) / std);
  return { ...resampled, data };
}

/** The labels on the grid that prepareImage gives. A voxel takes the label that covers at least half of it. */
export function prepareLabels(labels: LabelVolume, spacing: Triple): Promise<LabelVolume> {
  return resampleLabels(toCanonical(labels), spacing);
}
