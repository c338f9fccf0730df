/**
 * A row a label version, a column a dataset: the networks' scores on original labels. In-domain (Figure 2 as
 * numbers) with `scores`, on the organs that every generator can predict; or on a fine-tuning target (Tables 2, 3),
 * on all the target's organs.
 */
import { task } from "lq";
import { z } from "zod";
import { evaluationCell, METRICS } from "./study/results/cells.ts";
import { commonOrgans, inOrder, readEvaluations, readScores } from "./study/results/results.ts";
import { aggregation, anySynthetic, names, tableText } from "./study/results/settings.ts";
import { paperRow } from "./study/tables/paper.ts";
import { writeTable } from "./study/tables/render.ts";

export default task({
  params: z.strictObject({
    names,
    table: tableText,
    aggregation,
    /** Which of the paper's tables stands beside this one in the html version. */
    paper: z.string().optional(),
    /** Whether only organs common to all generators count (eq. 3). */
    common: z.boolean(),
  }),
  run({ files, outputs, params }) {
    const evaluations = readEvaluations(files("evaluations"));
    const scores = params.common ? readScores(files("scores")) : null;
    const datasets = inOrder(evaluations.keys(), params.names);
    const rows = inOrder(
      [...evaluations.values()].flatMap((v) => [...v.keys()]),
      params.names,
    );
    const reasons = datasets.flatMap((d) =>
      rows.flatMap((row) => {
        const why = evaluations.get(d)?.get(row)?.why;
        return why ? [`${params.names[row] ?? row} / ${params.names[d] ?? d}: ${why}`] : [];
      }),
    );
    writeTable(outputs(), {
      ...params.table,
      synthetic: anySynthetic(files("cases")),
      metrics: METRICS.map((m) => m.name),
      columns: datasets.map((d) => params.names[d] ?? d),
      rows: rows.map((row) => {
        const paper = params.paper ? paperRow(params.paper, row, datasets) : undefined;
        return {
          name: params.names[row] ?? row,
          cells: METRICS.map(({ key }) =>
            datasets.map((d) => {
              const organs = scores ? commonOrgans(scores.get(d)?.values() ?? []) : null;
              return evaluationCell(evaluations.get(d)?.get(row), organs, key, params.aggregation);
            }),
          ),
          from: datasets.map((d) => {
            const evaluation = evaluations.get(d)?.get(row);
            return evaluation ? [{ input: "evaluations", file: evaluation.file }] : [];
          }),
          ...(paper ? { paper } : {}),
        };
      }),
      notes: [
        ...params.table.notes,
        ...(reasons.length > 0 ? [`Not converged: ${reasons.join("; ")}.`] : []),
      ],
    });
  },
});
