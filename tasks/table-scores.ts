/** Mean and standard deviation of the cases' scores, for each organ and over all organs. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { aggregation } from "./study/metrics/aggregate.ts";
import { metricSettings } from "./study/metrics/score.ts";
import { readCases } from "./study/results/results.ts";
import { renderCasesCsv } from "./study/tables/cases-csv.ts";
import { organTable, renderOrganCsv, renderOrganMarkdown } from "./study/tables/organ-table.ts";

const { tolerance, variant, units, both_empty, reference_slices, least_dice } = metricSettings.shape;

export default task({
  params: z.strictObject({
    tolerance,
    conventions: z.strictObject({
      ...{ variant, units, both_empty, reference_slices, least_dice },
      deviation: aggregation.shape.deviation,
    }),
  }),
  run({ files, output, params: { tolerance, conventions } }) {
    const cases = readCases(files("scores"));
    const table = organTable(cases, { ...conventions, tolerance });
    writeFileSync(output("md"), renderOrganMarkdown(table));
    writeFileSync(output("csv"), renderOrganCsv(table));
    writeFileSync(output("cases"), renderCasesCsv(cases));
  },
});
