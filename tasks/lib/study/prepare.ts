/** Volumes on the grid that a network is trained on: canonical axes, a given spacing, normalised. */
import { resampleImage, resampleLabels } from "../resample/resample.ts";
import { toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { Normalisation } from "./settings.ts";

export type Spacing = readonly [number, number, number];

export function prepareImage(
  image: Volume,
  spacing: Spacing,
  { clip, mean, std }: Normalisation,
): Volume<Float32Array> {
  const resampled = resampleImage(toCanonical(image), spacing);
  const data = Float32Array.from(
    resampled.data,
    (hu) => (Math.min(clip[1], Math.max(clip[0], hu)) - mean) / std,
  );
  return { ...resampled, data };
}

export function prepareLabels(labels: LabelVolume, spacing: Spacing): LabelVolume {
  return resampleLabels(toCanonical(labels), spacing);
}
