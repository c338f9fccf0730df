/** One case's pseudo-labels by a trained network, remapped to the dataset's labels where its classes are others. */
import { readFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import {
  classNames,
  readLabelTable,
  remapper,
  type LabelSource,
  type LabelTable,
  type Organ,
} from "./lib/labels/labels.ts";
import { prepareImage } from "./lib/study/prepare.ts";
import { CLASS_LISTS, inference, normalisation } from "./lib/study/settings.ts";
import { openNetwork } from "./lib/study/trained-network.ts";
import { readNifti, writeNifti } from "./lib/volume/nifti.ts";
import { fromCanonical, toCanonical } from "./lib/volume/orient.ts";

export default task({
  params: z.strictObject({
    /** "all" where the network was trained on the dataset's own labels; else its class list. */
    classes: z.enum(["all", ...CLASS_LISTS]),
    window: inference,
  }),
  async run({ params, input, output, cpus, signal }) {
    const network = await openNetwork(input("model"), cpus);
    const { spacing, labels, normalisation: settings } = network.checkpoint;
    if (spacing === null) throw new Error(`${input("model")} has no spacing`);
    const image = await readNifti(input("image"));
    const prepared = prepareImage(image, spacing, normalisation.parse(settings));
    const canonical = toCanonical(image);
    const segmented = await network.segment(prepared, canonical, { ...params.window, signal });
    const values = valuesOf(labels, readLabelTable(readFileSync(input("organs"), "utf8")), params.classes);
    const data = segmented.data.map((channel) => values[channel] ?? 0);
    await writeNifti(output(), fromCanonical({ ...segmented, data }, image));
  },
});

/** Output channel → label value of the dataset. */
function valuesOf(
  channels: { readonly [name: string]: number },
  table: LabelTable<Organ | null>,
  classes: LabelSource,
): Uint8Array {
  const values = new Uint8Array(1 + Math.max(0, ...Object.values(channels)));
  if (classes === "all") {
    for (const [value, { name }] of table) values[channels[name] ?? 0] = value;
  } else {
    const lookup = remapper(table, classes);
    for (const [name, channel] of Object.entries(channels))
      values[channel] = lookup[classNames(classes).indexOf(name)] ?? 0;
  }
  values[0] = 0;
  return values;
}
