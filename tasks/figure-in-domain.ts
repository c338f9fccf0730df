/** Figure 2: label quality against in-domain performance. One panel for each dataset and metric. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { renderScatter } from "./study/figures/scatter.ts";
import { METRICS } from "./study/results/cells.ts";
import { qualityPairs } from "./study/results/pairs.ts";
import { inOrder, readEvaluations, readScores } from "./study/results/results.ts";
import { aggregation, syntheticSources, names } from "./study/results/settings.ts";
import { syntheticNotice } from "./study/tables/synthetic.ts";

export default task({
  params: z.strictObject({ names, aggregation }),
  run({ files, output, params }) {
    const scores = readScores(files("scores"));
    const evaluations = readEvaluations(files("evaluations"));
    const datasets = inOrder(evaluations.keys(), params.names);
    const versions = inOrder(
      [...evaluations.values()].flatMap((v) => [...v.keys()]),
      params.names,
    );
    const display = (key: string) => params.names[key] ?? key;
    const synthetic = syntheticSources(files("cases"));
    const svg = renderScatter({
      title: "Label quality against in-domain performance",
      notice: syntheticNotice(
        "columns",
        datasets.map((d) => ({ name: display(d), synthetic: [synthetic.has(d)] })),
      ),
      xLabel: "label quality (%)",
      yLabel: "in-domain score (%)",
      columns: datasets.map(display),
      metrics: METRICS.map((m) => m.name),
      series: versions.map(display),
      points: METRICS.map(({ key }) =>
        datasets.map((dataset) => {
          const pairs = qualityPairs(
            scores.get(dataset) ?? new Map(),
            evaluations.get(dataset) ?? new Map(),
            {
              metric: key,
              aggregation: params.aggregation,
              inDomain: true,
              originals: true,
            },
          );
          return versions.map((version) => {
            const pair = pairs.find((p) => p.version === version);
            return pair ? { x: pair.quality * 100, y: pair.performance * 100 } : null;
          });
        }),
      ),
    });
    writeFileSync(output(), svg);
  },
});
