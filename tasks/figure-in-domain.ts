/** Figure 2: label quality against in-domain performance. One panel for each dataset and metric. */
import { task } from "lq";
import { z } from "zod";
import { drawScatter, type Point } from "./study/figures/scatter.ts";
import { writeFigure } from "./study/figures/write.ts";
import { METRICS } from "./study/results/cells.ts";
import { qualityPairs, type QualityPair } from "./study/results/pairs.ts";
import { inOrder, readEvaluations, readScores } from "./study/results/results.ts";
import { aggregation, syntheticSources, names } from "./study/results/settings.ts";
import { pearson, spearman } from "./study/stats/correlation.ts";
import { syntheticNotice } from "./study/tables/synthetic.ts";

export default task({
  params: z.strictObject({
    names,
    aggregation,
    figure: z.strictObject({
      /** Draw one standard deviation over cases to each side of every point. */
      spread: z.boolean(),
      /** Write this correlation over the generators, without the original labels, into each panel. */
      correlation: z.enum(["none", "pearson", "spearman"]),
    }),
  }),
  async run({ files, output, params }) {
    const scores = readScores(files("scores"));
    const evaluations = readEvaluations(files("evaluations"));
    const datasets = inOrder(evaluations.keys(), params.names);
    const versions = inOrder(
      [...evaluations.values()].flatMap((v) => [...v.keys()]),
      params.names,
    );
    const display = (key: string) => params.names[key] ?? key;
    const synthetic = syntheticSources(files("cases"));
    const pairs = METRICS.map(({ key }) =>
      datasets.map((dataset) =>
        qualityPairs(scores.get(dataset) ?? new Map(), evaluations.get(dataset) ?? new Map(), {
          metric: key,
          aggregation: params.aggregation,
          inDomain: true,
          originals: true,
        }),
      ),
    );
    const { spread, correlation } = params.figure;
    const drawing = drawScatter({
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
      points: pairs.map((line) =>
        line.map((each) => versions.map((version) => pointOf(each, version, spread))),
      ),
      remarks: pairs.map((line) => line.map((each) => remark(each, correlation))),
    });
    await writeFigure(drawing, output);
  },
});

/** In percent; null for a version that has no pair. */
function pointOf(pairs: readonly QualityPair[], version: string, spread: boolean): Point | null {
  const pair = pairs.find((each) => each.version === version);
  if (pair === undefined) return null;
  const { quality, performance } = pair.spread;
  return {
    x: pair.quality * 100,
    y: pair.performance * 100,
    ...(spread ? { spread: { x: quality * 100, y: performance * 100 } } : {}),
  };
}

/** "Spearman 0.83 (n = 7)"; empty where the correlation is not wanted or not defined. */
function remark(pairs: readonly QualityPair[], correlation: "none" | "pearson" | "spearman"): string {
  const points = pairs
    .filter(({ version }) => version !== "base")
    .map(({ quality, performance }) => ({ x: quality, y: performance }));
  if (correlation === "none" || points.length < 3) return "";
  const value = correlation === "pearson" ? pearson(points) : spearman(points);
  const name = correlation === "pearson" ? "Pearson" : "Spearman";
  return value === null ? "" : `${name} ${value.toFixed(2).replace("-", "−")} (n = ${points.length})`;
}
