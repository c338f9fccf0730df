/** Settings of the metrics, checked against the organs of the dataset that is scored. */
import { z } from "zod";
import { layoutOf } from "../datasets/layouts.ts";
import { type DatasetName, datasetNames, labelTable } from "../labels/labels.ts";
import { metricSettings } from "../metrics/score.ts";
import { organIssues } from "../metrics/tolerances.ts";

/** Params that a task that scores takes, beside its own. */
export const metricParams = {
  /** What is scored: the labels of a dataset, by its layout, or one's own, value by name. */
  labels: z.union([z.string(), z.record(z.string(), z.int())]),
  metrics: metricSettings,
};

/**
 * A refinement: every label has a tolerance, and every one named is known: among one's own, or of any dataset (a
 * map may serve several). Datasets in nnU-Net's raw layout bring labels that are not known here.
 */
export function checkOrgans(
  { labels, metrics }: z.infer<z.ZodObject<typeof metricParams>>,
  context: z.RefinementCtx,
): void {
  const dataset = typeof labels === "string" ? layoutOf(labels).labels : null;
  if (typeof labels === "string" && dataset === null) return;
  const scored = dataset === null ? Object.keys(labels) : namesIn(dataset);
  const known = dataset === null ? scored : datasetNames.flatMap(namesIn);
  for (const { path, message } of organIssues(metrics, scored, known))
    context.addIssue({ code: "custom", path: ["metrics", ...path], message });
}

function namesIn(dataset: DatasetName): string[] {
  return [...labelTable(dataset).values()].map(({ name }) => name);
}
