/**
 * nnU-Net's intensity normalisation, in single precision like nnU-Net's.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/normalization/default_normalization_schemes.py.
 */
import type { ForegroundStatistics } from "../datasets/statistics.ts";

const TINY = 1e-8;

/** Scheme "CT": clips to the foreground's 0.5 and 99.5 percentiles, then (x - mean) / std. */
export function normaliseCT(
  image: ArrayLike<number>,
  properties: Pick<ForegroundStatistics, "mean" | "std" | "percentile_00_5" | "percentile_99_5">,
): Float32Array {
  const low = Math.fround(properties.percentile_00_5);
  const high = Math.fround(properties.percentile_99_5);
  return standardise(image, properties.mean, properties.std, (x) => Math.min(Math.max(x, low), high));
}

/**
 * Scheme "ZScore": (x - mean) / std over the whole image. With `inside` it uses and changes only the voxels at which
 * `inside` is not 0.
 */
export function normaliseZScore(image: ArrayLike<number>, inside?: ArrayLike<number>): Float32Array {
  const within = (i: number) => inside?.[i] !== 0;
  let [sum, count] = [0, 0];
  for (let i = 0; i < image.length; i++) if (within(i)) [sum, count] = [sum + image[i]!, count + 1];
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < image.length; i++) if (within(i)) squares += (image[i]! - mean) ** 2;
  const normalised = standardise(image, mean, Math.sqrt(squares / count), (x) => x);
  if (inside) for (let i = 0; i < image.length; i++) if (!within(i)) normalised[i] = image[i]!;
  return normalised;
}

function standardise(
  image: ArrayLike<number>,
  mean: number,
  std: number,
  clip: (value: number) => number,
): Float32Array {
  const centre = Math.fround(mean);
  const scale = Math.fround(Math.max(std, TINY));
  const normalised = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) {
    normalised[i] = Math.fround(clip(Math.fround(image[i]!)) - centre) / scale;
  }
  return normalised;
}
