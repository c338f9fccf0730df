/** Predicts the pseudo-labels of one case with a trained network. Its classes become label values of the dataset. */
import { task } from "lq";
import { z } from "zod";
import { volumeOf } from "./study/datasets/input-files.ts";
import { readLabelTable } from "./study/labels/labels.ts";
import { toLabelValues } from "./study/labels/label-values.ts";
import { prepareImage } from "./study/resample/prepare.ts";
import { CLASS_LISTS, inference, normalisation } from "./study/params/settings.ts";
import { openNetwork } from "./study/inference/trained-network.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { readImage, reading, warnings } from "./study/volume/reading.ts";
import { fromCanonical, toCanonical } from "./study/volume/orient.ts";

export default task({
  params: z.strictObject({
    /** "all" if the network was trained on the dataset's own labels, otherwise the name of its class list. */
    classes: z.enum(["all", ...CLASS_LISTS]),
    window: inference,
    reading,
  }),
  async run({ params, input, inputs, output, cpus, devices, signal, log }) {
    const on = { device: "auto", devices, threads: cpus, log } as const;
    const network = await openNetwork(input("model"), { ...params.window, ...on });
    const { spacing, labels, normalisation: settings } = network.checkpoint;
    if (spacing === null) throw new Error(`${input("model")} has no spacing`);
    const image = await readImage(volumeOf({ inputs }, "image"), params.reading, warnings(log));
    const prepared = await prepareImage(image, spacing, normalisation.parse(settings));
    const canonical = toCanonical(image);
    const segmented = await network.segment(prepared, canonical, { ...params.window, signal });
    const table = readLabelTable(input("organs"));
    const labelled = toLabelValues(segmented, labels, table, params.classes);
    await writeNifti(output(), fromCanonical(labelled, image));
  },
});
