/** How well one case's predicted label map matches a reference: of anyone's volumes, with labels given by name. */
import { task } from "lq";
import { z } from "zod";
import { writeJson } from "./study/json.ts";
import { metricSettings } from "./study/metrics/score.ts";
import { scoreFiles } from "./study/metrics/score-files.ts";
import { organIssues } from "./study/metrics/tolerances.ts";

export default task({
  params: z
    .strictObject({
      case: z.string(),
      /** Value by name. */
      labels: z.record(z.string(), z.int().min(1).max(65535)),
      metrics: metricSettings,
    })
    .superRefine(({ labels, metrics }, context) => {
      const names = Object.keys(labels);
      for (const { path, message } of organIssues(metrics, names, names))
        context.addIssue({ code: "custom", path: ["metrics", ...path], message });
    }),
  async run({ params, input, output }) {
    const organs = await scoreFiles(input("reference"), input("prediction"), params.labels, params.metrics);
    writeJson(output(), { case: params.case, organs });
  },
});
