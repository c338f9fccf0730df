/** Params of tasks that score, checked against the organs that they score. */
import { z } from "zod";
import { layoutOf } from "../datasets/layouts.ts";
import { type DatasetName, datasetNames, IGNORE, labelTable } from "../labels/labels.ts";
import { metricSettings } from "../metrics/score.ts";
import { reading } from "../volume/reading.ts";
import { organIssues } from "../metrics/tolerances.ts";

/** Params of every task that scores. One of `layout` and `label_values` says which labels are scored. */
export const metricParams = {
  /** The layout of a dataset whose labels are scored. */
  layout: z.string().optional(),
  /** Own labels to score: name → label value. */
  label_values: z.record(z.string(), z.int()).optional(),
  metrics: metricSettings,
  reading,
};

/**
 * A refinement: every scored label needs a tolerance, and every label that the metrics name must be known. With a
 * layout the labels of all datasets are known, because one map of tolerances may serve several datasets. The labels of
 * nnU-Net's raw layout are in its dataset.json and are not checked here.
 */
export function checkOrgans(
  {
    layout,
    label_values,
    metrics,
  }: Pick<z.infer<z.ZodObject<typeof metricParams>>, "layout" | "label_values" | "metrics">,
  context: z.RefinementCtx,
): void {
  if ((layout === undefined) === (label_values === undefined)) {
    context.addIssue({ code: "custom", path: ["layout"], message: "give either `layout` or `label_values`" });
    return;
  }
  const dataset = layout === undefined ? null : layoutOf(layout).labels;
  if (layout !== undefined && dataset === null) return;
  const scored =
    dataset === null ? Object.keys(label_values ?? {}).filter((name) => name !== IGNORE) : namesIn(dataset);
  const known = dataset === null ? scored : datasetNames.flatMap(namesIn);
  for (const { path, message } of organIssues(metrics, scored, known))
    context.addIssue({ code: "custom", path: ["metrics", ...path], message });
}

function namesIn(dataset: DatasetName): string[] {
  return [...labelTable(dataset).values()].map(({ name }) => name);
}
