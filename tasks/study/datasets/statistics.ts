/** Summaries of a dataset's geometry and intensities. */
import { quantile } from "../stats/quantile.ts";

/** Of the foreground of the training images; `foreground_intensity_properties_per_channel` in nnU-Net's plans. */
export interface ForegroundStatistics {
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  readonly median: number;
  /** Percentiles with linear interpolation between ranks, as numpy's default. */
  readonly percentile_00_5: number;
  readonly percentile_99_5: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Of the Hounsfield units sampled in each case, over all cases together, in single precision as nnU-Net keeps them;
 * null if there are none.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/experiment_planning/dataset_fingerprint/fingerprint_extractor.py.
 */
export function foregroundStatistics(samples: readonly ArrayLike<number>[]): ForegroundStatistics | null {
  const count = samples.reduce((sum, sample) => sum + sample.length, 0);
  if (count === 0) return null;
  const sorted = new Float32Array(count);
  let place = 0;
  for (const sample of samples) {
    sorted.set(sample, place);
    place += sample.length;
  }
  sorted.sort();
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / count;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  return {
    mean,
    std: Math.sqrt(squares / count),
    median: quantile(sorted, 0.5),
    percentile_00_5: quantile(sorted, 0.005),
    percentile_99_5: quantile(sorted, 0.995),
    min: sorted[0]!,
    max: sorted[count - 1]!,
  };
}

/** Mean of the two middle values for an even count; NaN for none. */
export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
