/** Summaries of a dataset's geometry and intensities. */
import { quantile } from "../stats/quantile.ts";

/** Intensities of the foreground: `foreground_intensity_properties_per_channel` in nnU-Net's plans. */
export interface ForegroundStatistics {
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  readonly median: number;
  /** Percentiles, interpolated linearly between ranks (numpy's default). */
  readonly percentile_00_5: number;
  readonly percentile_99_5: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Statistics of the Hounsfield units sampled in each case, over all cases together. Values are kept in single
 * precision, as in nnU-Net. Null if there are none.
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

/** The median; for an even count the mean of the two middle values; NaN for an empty list. */
export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
