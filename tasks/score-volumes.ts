/** Scores one case's predicted label map against a reference. The label values come from params, not from a dataset. */
import { task } from "lq";
import { z } from "zod";
import { writeJson } from "./study/json.ts";
import { IGNORE } from "./study/labels/labels.ts";
import { metricSettings } from "./study/metrics/score.ts";
import { scoreFiles } from "./study/metrics/score-files.ts";
import { reading, warnings } from "./study/volume/reading.ts";
import { organIssues } from "./study/metrics/tolerances.ts";

export default task({
  params: z
    .strictObject({
      case: z.string(),
      /** Label name → label value. */
      label_values: z.record(z.string(), z.int().min(1).max(65535)),
      metrics: metricSettings,
      reading,
    })
    .superRefine(({ label_values, metrics }, context) => {
      const names = Object.keys(label_values).filter((name) => name !== IGNORE);
      for (const { path, message } of organIssues(metrics, names, names))
        context.addIssue({ code: "custom", path: ["metrics", ...path], message });
    }),
  async run({ params, input, output, log }) {
    const { label_values, metrics, reading } = params;
    const { [IGNORE]: ignore, ...labels } = label_values;
    const organs = await scoreFiles(input("reference"), input("prediction"), labels, {
      ...{ metrics, reading },
      ignore: ignore ?? null,
      warn: warnings(log),
    });
    writeJson(output(), { case: params.case, organs });
  },
});
