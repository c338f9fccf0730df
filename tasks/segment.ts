/**
 * Predicts held-out cases with a trained network, on the grids of their original labels. If the training did not
 * converge, it writes the outcome and no predictions.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { task } from "lq";
import { z } from "zod";
import { readLabelTable } from "./study/labels/labels.ts";
import { toLabelValues } from "./study/labels/label-values.ts";
import { inference } from "./study/params/settings.ts";
import { caseOf } from "./study/datasets/input-files.ts";
import { openNetwork } from "./study/inference/trained-network.ts";
import { readNifti, writeNifti } from "./study/volume/nifti.ts";
import { reading, readLabelMap, warnings } from "./study/volume/reading.ts";
import { fromCanonical, toCanonical } from "./study/volume/orient.ts";

export default task({
  params: z.strictObject({ window: inference, reading }),
  async run({ params, input, inputs, output, cpus, devices, signal, progress, log }) {
    const on = { device: "auto", devices, threads: cpus, log } as const;
    const network = await openNetwork(input("model"), { ...params.window, ...on });
    const { outcome, criterion, labels } = network.checkpoint;
    mkdirSync(output(), { recursive: true });
    writeFileSync(join(output(), "outcome.json"), JSON.stringify({ outcome, criterion }) + "\n");
    if (outcome === "not-converged") return;
    const table = readLabelTable(input("organs"));
    const grids = new Map(inputs("grids").map((path) => [caseOf(path), path]));
    const images = inputs("images");
    for (const [i, path] of images.entries()) {
      const id = caseOf(path);
      const grid = await readLabelMap(grids.get(id) ?? "", params.reading, warnings(log));
      const segmented = await network.segment(await readNifti(path), toCanonical(grid), {
        ...params.window,
        signal,
      });
      const labelled = toLabelValues(segmented, labels, table, "all");
      await writeNifti(join(output(), `${id}.nii.gz`), fromCanonical(labelled, grid));
      progress((i + 1) / images.length, id);
    }
  },
});
