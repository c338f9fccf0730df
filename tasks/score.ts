/** Scores one case's pseudo-labels against its original labels. */
import { task } from "lq";
import { z } from "zod";
import { writeJson } from "./study/json.ts";
import { CLASS_LISTS } from "./study/params/settings.ts";
import { commonLabels, ignoredValue, readLabelTable, valuesByName } from "./study/labels/labels.ts";
import { scoreFiles } from "./study/metrics/score-files.ts";
import { warnings } from "./study/volume/reading.ts";
import { checkOrgans, metricParams } from "./study/params/metric-params.ts";

export default task({
  params: z
    .strictObject({ case: z.string(), classes: z.enum(["all", ...CLASS_LISTS]), ...metricParams })
    .superRefine(checkOrgans),
  async run({ params, input, output, log }) {
    const table = readLabelTable(input("organs"));
    const labels = valuesByName(table);
    const predicts = commonLabels(table, [params.classes]).map((value) => table.get(value)?.name ?? "");
    const organs = await scoreFiles(input("reference"), input("prediction"), labels, {
      ...{ metrics: params.metrics, reading: params.reading },
      ignore: ignoredValue(table),
      warn: warnings(log),
    });
    writeJson(output(), { case: params.case, predicts, organs });
  },
});
