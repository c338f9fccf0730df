/**
 * Scores of the trained networks against the original labels: one row for each label version, one column for each
 * dataset. With `common: true` the table has in-domain scores (Figure 2 as numbers), over the organs that every
 * generator can predict; the task then needs `scores`. Otherwise it has scores on a fine-tuning target (Tables 2 and
 * 3), over all organs of the target.
 */
import { task } from "lq";
import { z } from "zod";
import { evaluationCell, METRICS } from "./study/results/cells.ts";
import { commonOrgans, inOrder, readEvaluations, readScores } from "./study/results/results.ts";
import { aggregation, syntheticSources, names, tableText } from "./study/results/settings.ts";
import { paperRow } from "./study/tables/paper.ts";
import { writeTable } from "./study/tables/render.ts";

export default task({
  params: z.strictObject({
    names,
    table: tableText,
    aggregation,
    /** Name of the paper's table whose values the HTML version shows beside ours: `quality`, `segthor` or `flare`. */
    paper: z.string().optional(),
    /** Count only the organs that all generators can predict (equation 3 of the paper). */
    common: z.boolean(),
    /** The dataset that the networks were fine-tuned and scored on; without it, each column's own. */
    target: z.string().optional(),
  }),
  run({ files, outputs, params }) {
    const evaluations = readEvaluations(files("evaluations"));
    const synthetic = syntheticSources(files("cases"));
    const { target } = params;
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
          // "none" is not pre-trained on the dataset of its column.
          synthetic: datasets.map(
            (d) => (target !== undefined && synthetic.has(target)) || (row !== "none" && synthetic.has(d)),
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
