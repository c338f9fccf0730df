/** Scores a file of predicted labels against a file of reference labels. */
import { requireSameGrid } from "../volume/geometry.ts";
import { type Reading, readLabelMap, type Warn } from "../volume/reading.ts";
import { type MetricSettings, type OrganScores, scoreCase } from "./score.ts";

/**
 * The scores of each label.
 * @param labels name → label value
 * @throws Error that names the file and the fact if one is no label map, or the two are not on the same grid
 */
export async function scoreFiles(
  reference: string,
  prediction: string,
  labels: Readonly<Record<string, number>>,
  settings: MetricSettings,
  reading: Reading,
  warn: Warn,
): Promise<Record<string, OrganScores>> {
  const [truth, predicted] = await Promise.all([
    readLabelMap(reference, reading, warn),
    readLabelMap(prediction, reading, warn),
  ]);
  requireSameGrid({ name: reference, ...truth }, { name: prediction, ...predicted }, reading.grid_tolerance);
  return scoreCase(truth, { ...predicted, affine: truth.affine }, labels, settings);
}
