/** Scores of a trained network on held-out cases, for each organ; or the reason why the training did not converge. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { aggregation } from "./study/metrics/aggregate.ts";
import { metricSettings } from "./study/metrics/score.ts";
import { readEvaluation } from "./study/results/results.ts";
import { organTable, renderOrganCsv, renderOrganMarkdown } from "./study/tables/organ-table.ts";

const { tolerance, variant, units, both_empty } = metricSettings.shape;

export default task({
  params: z.strictObject({
    tolerance,
    conventions: z.strictObject({ variant, units, both_empty, deviation: aggregation.shape.deviation }),
  }),
  run({ input, output, params: { tolerance, conventions } }) {
    const { converged, why, cases } = readEvaluation(input());
    const table = organTable(converged ? cases : [], { ...conventions, tolerance });
    const markdown = converged
      ? renderOrganMarkdown(table)
      : `# Scores\n\n✗ The training did not converge: ${why}.\n`;
    writeFileSync(output("md"), markdown);
    writeFileSync(output("csv"), renderOrganCsv(table));
  },
});
