/** Correlation of label quality with in-domain and with fine-tuned performance, for each dataset and for all together. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { METRICS, type Metric } from "./study/results/cells.ts";
import { qualityPairs, type QualityPair } from "./study/results/pairs.ts";
import { experimentsOf, inOrder, readScores, type Evaluation } from "./study/results/results.ts";
import { aggregation, syntheticSources, names, tableText } from "./study/results/settings.ts";
import { bootstrap } from "./study/stats/bootstrap.ts";
import { correlate, type Estimate } from "./study/stats/correlation.ts";
import { quote } from "./study/tables/csv.ts";
import { escape } from "./study/tables/markdown.ts";
import { dataOf, syntheticNotice } from "./study/tables/synthetic.ts";

interface Line {
  readonly experiment: string;
  readonly metric: string;
  readonly dataset: string;
  readonly n: number;
  readonly pearson: Estimate;
  readonly spearman: Estimate;
  readonly synthetic: readonly boolean[];
}

export default task({
  params: z.strictObject({ names, table: tableText.extend({ bootstrap }), aggregation }),
  run({ files, output, params }) {
    const scores = readScores(files("scores"));
    const sources = syntheticSources(files("cases"));
    const experiments = experimentsOf(files("evaluations"));
    const display = (key: string) => params.names[key] ?? key;
    const lines = inOrder(experiments.keys(), params.names).flatMap((experiment) => {
      const evaluations = experiments.get(experiment) ?? new Map<string, Map<string, Evaluation>>();
      const datasets = inOrder(evaluations.keys(), params.names);
      return METRICS.flatMap(({ key, name }) => {
        const perDataset = datasets.map((d) =>
          pairsOf(scores, evaluations, d, key, experiment, params.aggregation),
        );
        const isSynthetic = datasets.map((d) => sources.has(d) || sources.has(experiment));
        const line = (dataset: string, pairs: readonly QualityPair[], synthetic = isSynthetic): Line => ({
          synthetic,
          experiment: display(experiment),
          metric: name,
          dataset,
          ...correlate(
            pairs.map((p) => ({ x: p.quality, y: p.performance })),
            params.table.bootstrap,
          ),
        });
        return [
          ...datasets.map((d, i) => line(display(d), perDataset[i] ?? [], [isSynthetic[i] ?? false])),
          line("pooled", perDataset.flat()),
          line("pooled, centred by dataset", perDataset.flatMap(centre)),
        ];
      });
    });
    writeFileSync(output("md"), markdown(params.table, lines));
    writeFileSync(output("csv"), csv(lines));
  },
});

function pairsOf(
  scores: ReturnType<typeof readScores>,
  evaluations: ReadonlyMap<string, ReadonlyMap<string, Evaluation>>,
  dataset: string,
  metric: Metric,
  experiment: string,
  settings: z.infer<typeof aggregation>,
): QualityPair[] {
  return qualityPairs(scores.get(dataset) ?? new Map(), evaluations.get(dataset) ?? new Map(), {
    metric,
    aggregation: settings,
    inDomain: experiment === "in-domain",
    originals: false,
  });
}

/** Subtracts the dataset's means, so that the correlation over all datasets does not measure how the datasets differ. */
function centre(pairs: readonly QualityPair[]): QualityPair[] {
  const mean = (of: (p: QualityPair) => number) => pairs.reduce((sum, p) => sum + of(p), 0) / pairs.length;
  const quality = mean((p) => p.quality);
  const performance = mean((p) => p.performance);
  return pairs.map((p) => ({ ...p, quality: p.quality - quality, performance: p.performance - performance }));
}

function markdown(table: z.infer<typeof tableText>, lines: readonly Line[]): string {
  const parts = lines.map(({ experiment, dataset, synthetic }) => ({
    name: `${experiment} ${dataset}`,
    synthetic,
  }));
  const unique = [...new Map(parts.map((part) => [part.name, part])).values()];
  const notice = syntheticNotice("rows", unique);
  return [
    `# ${table.title}`,
    "",
    ...(notice === null ? [] : [`> **${notice}**`, ""]),
    table.caption,
    "",
    "| Experiment | Metric | Datasets | n | Spearman [95 %] | Pearson [95 %] |",
    "|---|---|---|---:|---:|---:|",
    ...lines.map(
      (l) =>
        `| ${escape(l.experiment)} | ${l.metric} | ${escape(l.dataset)} | ${l.n} | ${interval(l.spearman)} | ${interval(l.pearson)} |`,
    ),
    "",
    ...table.notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function interval({ value, low, high }: Estimate): string {
  if (value === null || low === null || high === null) return "–";
  return `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

function csv(lines: readonly Line[]): string {
  const head =
    "experiment,metric,datasets,n,spearman,spearman_low,spearman_high,pearson,pearson_low,pearson_high,data";
  const rows = lines.map((l) =>
    [
      ...[l.experiment, l.metric, l.dataset, l.n],
      ...[l.spearman.value, l.spearman.low, l.spearman.high, l.pearson.value, l.pearson.low, l.pearson.high],
      dataOf(l.synthetic),
    ]
      .map((v) => quote(String(v ?? "")))
      .join(","),
  );
  return [head, ...rows, ""].join("\n");
}
