/** How well one case's predicted label map matches a reference: of anyone's volumes, with labels given by name. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { metricSettings } from "./lib/metrics/score.ts";
import { scoreFiles } from "./lib/metrics/score-files.ts";
import { missingTolerances } from "./lib/metrics/tolerances.ts";

export default task({
  params: z
    .strictObject({
      case: z.string(),
      /** Value by name. */
      labels: z.record(z.string(), z.int().min(1).max(65535)),
      metrics: metricSettings,
    })
    .superRefine(({ labels, metrics }, context) => {
      for (const name of missingTolerances(Object.keys(labels), metrics.tolerance))
        context.addIssue({
          code: "custom",
          path: ["metrics", "tolerance"],
          message: `none is given for ${name}`,
        });
    }),
  async run({ params, input, output }) {
    const organs = await scoreFiles(input("reference"), input("prediction"), params.labels, params.metrics);
    writeFileSync(output(), JSON.stringify({ case: params.case, organs }, null, 1) + "\n");
  },
});
