/** How well one case's pseudo-labels match the original ones. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { CLASS_LISTS } from "./lib/study/settings.ts";
import { commonLabels, labelTable } from "./lib/labels/labels.ts";
import { metricSettings, scoreCase } from "./lib/metrics/score.ts";
import { readLabels } from "./lib/volume/nifti.ts";

export default task({
  params: z.strictObject({
    case: z.string(),
    layout: z.string(),
    classes: z.enum(["all", ...CLASS_LISTS]),
    metrics: metricSettings,
  }),
  async run({ params, input, output }) {
    const table = labelTable(params.layout);
    const labels = Object.fromEntries([...table].map(([value, { name }]) => [name, value]));
    const reference = await readLabels(input("reference"));
    const prediction = await readLabels(input("prediction"));
    const predicts = commonLabels(table, [params.classes]).map((value) => table.get(value)?.name ?? "");
    const organs = scoreCase(reference, prediction, labels, params.metrics);
    writeFileSync(output(), JSON.stringify({ case: params.case, predicts, organs }, null, 1) + "\n");
  },
});
