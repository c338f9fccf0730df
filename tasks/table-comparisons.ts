/** Compares the rows of each of the study's tables with one row of it: paired tests and bootstrap intervals. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { allOrgans, METRICS } from "./study/results/cells.ts";
import { compareRows } from "./study/results/comparisons.ts";
import {
  commonOrgans,
  experimentsOf,
  inOrder,
  readScores,
  type CaseScores,
  type Evaluation,
  type GeneratorScores,
} from "./study/results/results.ts";
import { syntheticSources, names, tableText } from "./study/results/settings.ts";
import { bootstrap } from "./study/stats/bootstrap.ts";
import {
  renderComparisonsCsv,
  renderComparisonsMarkdown,
  type ComparisonBlock,
} from "./study/tables/comparison-table.ts";

type Rows = ReadonlyMap<string, readonly CaseScores[]>;

export default task({
  params: z.strictObject({
    names,
    table: tableText.extend({
      bootstrap,
      /** The row that the others are compared with, by experiment (`quality` is the table of label quality). */
      against: z.record(z.string(), z.string()),
    }),
  }),
  run({ files, output, params: { names, table } }) {
    const scores = readScores(files("scores"));
    const synthetic = syntheticSources(files("cases"));
    const quality = new Map([...scores].map(([dataset, rows]) => [dataset, qualityRows(rows)]));
    const experiments = new Map<string, ReadonlyMap<string, Rows>>([["quality", quality]]);
    for (const [experiment, datasets] of experimentsOf(files("evaluations")))
      experiments.set(
        experiment,
        new Map([...datasets].map(([dataset, rows]) => [dataset, evaluatedRows(rows)])),
      );
    const blocks = inOrder(experiments.keys(), names).flatMap((experiment): ComparisonBlock[] => {
      const datasets = experiments.get(experiment) ?? new Map<string, Rows>();
      const against = table.against[experiment];
      if (against === undefined) return [];
      const common = experiment === "quality" || experiment === "in-domain";
      const columns = inOrder(datasets.keys(), names);
      const compare = (dataset: string, metric: (typeof METRICS)[number]["key"]) => {
        const rows = datasets.get(dataset) ?? new Map<string, readonly CaseScores[]>();
        const organs = common
          ? commonOrgans(scores.get(dataset)?.values() ?? [])
          : allOrgans([...rows.values()].flat());
        return compareRows(rows, against, { organs, metric, bootstrap: table.bootstrap });
      };
      return [
        {
          title: names[experiment] ?? experiment,
          against: names[against] ?? against,
          columns: columns.map((dataset) => names[dataset] ?? dataset),
          synthetic: columns.map((dataset) => synthetic.has(dataset) || synthetic.has(experiment)),
          rows: inOrder(
            [...datasets.values()].flatMap((rows) => [...rows.keys()]),
            names,
          )
            .filter((row) => row !== against)
            .map((row) => ({ key: row, name: names[row] ?? row })),
          metrics: METRICS.map(({ key, name }) => ({
            name,
            comparisons: columns.map((dataset) => compare(dataset, key)),
          })),
        },
      ];
    });
    writeFileSync(output("md"), renderComparisonsMarkdown(table, blocks));
    writeFileSync(output("csv"), renderComparisonsCsv(blocks));
  },
});

function qualityRows(generators: ReadonlyMap<string, GeneratorScores>): Rows {
  return new Map([...generators].map(([generator, { cases }]) => [generator, cases]));
}

/** A training that did not converge has no cases. */
function evaluatedRows(versions: ReadonlyMap<string, Evaluation>): Rows {
  return new Map([...versions].map(([version, { converged, cases }]) => [version, converged ? cases : []]));
}
