/** Scores a file of predicted labels against a file of reference labels. */
import type { LabelVolume } from "../volume/volume.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import { type Reading, readLabelMap, type Warn } from "../volume/reading.ts";
import { type MetricSettings, type OrganScores, scoreCase } from "./score.ts";

export interface ScoreFilesOptions {
  readonly metrics: MetricSettings;
  readonly reading: Reading;
  /** Where the reference has this value, neither volume counts; null: everywhere they count. */
  readonly ignore: number | null;
  readonly warn: Warn;
}

/**
 * The scores of each label.
 * @param labels name → label value
 * @throws Error that names the file and the fact if one is no label map, or the two are not on the same grid
 */
export async function scoreFiles(
  reference: string,
  prediction: string,
  labels: Readonly<Record<string, number>>,
  { metrics, reading, ignore, warn }: ScoreFilesOptions,
): Promise<Record<string, OrganScores>> {
  const [truth, predicted] = await Promise.all([
    readLabelMap(reference, reading, warn),
    readLabelMap(prediction, reading, warn),
  ]);
  requireSameGrid({ name: reference, ...truth }, { name: prediction, ...predicted }, reading.grid_tolerance);
  const counts = (volume: LabelVolume): LabelVolume => ({
    ...volume,
    affine: truth.affine,
    data: ignore === null ? volume.data : volume.data.map((v, i) => (truth.data[i] === ignore ? 0 : v)),
  });
  return scoreCase(counts(truth), counts(predicted), labels, metrics);
}
