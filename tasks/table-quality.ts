/** Table 1: how well the pseudo-labels of each generator match the original labels of each dataset. */
import { task } from "lq";
import { z } from "zod";
import { cellOf, METRICS } from "./study/results/cells.ts";
import { commonOrgans, inOrder, readScores } from "./study/results/results.ts";
import { aggregation, syntheticSources, names, tableText } from "./study/results/settings.ts";
import { paperRow } from "./study/tables/paper.ts";
import { writeTable } from "./study/tables/render.ts";

export default task({
  params: z.strictObject({ names, table: tableText, aggregation }),
  run({ files, outputs, params }) {
    const scores = readScores(files("scores"));
    const synthetic = syntheticSources(files("cases"));
    const datasets = inOrder(scores.keys(), params.names);
    const generators = inOrder(
      [...scores.values()].flatMap((g) => [...g.keys()]),
      params.names,
    );
    const organs = new Map(datasets.map((d) => [d, commonOrgans(scores.get(d)?.values() ?? [])]));
    writeTable(outputs(), {
      ...params.table,
      metrics: METRICS.map((m) => m.name),
      columns: datasets.map((d) => params.names[d] ?? d),
      rows: generators.map((generator) => {
        const paper = paperRow("quality", generator, datasets);
        return {
          name: params.names[generator] ?? generator,
          cells: METRICS.map(({ key }) =>
            datasets.map((d) =>
              cellOf(
                scores.get(d)?.get(generator)?.cases ?? [],
                organs.get(d) ?? [],
                key,
                params.aggregation,
              ),
            ),
          ),
          synthetic: datasets.map((d) => synthetic.has(d)),
          from: datasets.map((d) =>
            (scores.get(d)?.get(generator)?.cases ?? []).map(({ file }) => ({ input: "scores", file })),
          ),
          ...(paper ? { paper } : {}),
        };
      }),
      notes: [...params.table.notes, excluded(scores, organs, params.names)],
    });
  },
});

/** A note that says which organs equation 3 of the paper leaves out, for each dataset. */
function excluded(
  scores: ReturnType<typeof readScores>,
  organs: ReadonlyMap<string, readonly string[]>,
  display: { readonly [key: string]: string },
): string {
  const parts = [...organs].flatMap(([dataset, common]) => {
    const all = new Set([...(scores.get(dataset)?.values() ?? [])].flatMap((g) => g.predicts));
    const left = [...all].filter((organ) => !common.includes(organ));
    return left.length > 0 ? [`${left.join(", ")} (${display[dataset] ?? dataset})`] : [];
  });
  return parts.length > 0
    ? `These organs are left out, because not every generator can predict them (equation 3 of the paper): ${parts.join("; ")}.`
    : "No organ is left out: every generator can predict all of them (equation 3 of the paper).";
}
