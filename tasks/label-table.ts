/** Writes what the values in a dataset's label files mean, as published or as its dataset.json says. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { datasetJsonLabels } from "./study/datasets/dataset-json.ts";
import { layoutOf } from "./study/datasets/layouts.ts";
import { labelTable, labelTableText } from "./study/labels/labels.ts";

export default task({
  params: z.strictObject({ layout: z.string(), root: z.string().optional() }),
  run({ input, output, params: { layout, root = "" } }) {
    const { labels } = layoutOf(layout);
    const table =
      labels === null
        ? datasetJsonLabels(readFileSync(input("json"), "utf8"), `${root}/dataset.json`)
        : labelTable(labels);
    writeFileSync(output(), labelTableText(table));
  },
});
