/** Scores a file of predicted labels against a file of reference labels. */
import { requireSameGrid } from "../volume/geometry.ts";
import { readLabels } from "../volume/nifti.ts";
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
): Promise<Record<string, OrganScores>> {
  const [truth, predicted] = await Promise.all([readLabels(reference), readLabels(prediction)]);
  requireSameGrid({ name: reference, ...truth }, { name: prediction, ...predicted });
  return scoreCase(truth, predicted, labels, settings);
}
