/** Turns labels that another program wrote, in the ids of a published class list, into the dataset's label values. */
import { task } from "lq";
import { z } from "zod";
import { readLabelTable, remapper } from "./study/labels/labels.ts";
import { CLASS_LISTS } from "./study/params/settings.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { reading, readLabelMap, warnings } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({ classes: z.enum(CLASS_LISTS), reading }),
  async run({ params, input, output, log }) {
    const lookup = remapper(readLabelTable(input("organs")), params.classes);
    const labels = await readLabelMap(input("labels"), params.reading, warnings(log));
    const data = new Uint16Array(labels.data.length);
    for (const [i, id] of labels.data.entries()) {
      const value = lookup[id];
      if (value === undefined)
        throw new Error(`${input("labels")}: there is no class ${id} in ${params.classes}`);
      data[i] = value;
    }
    await writeNifti(output(), { ...labels, data });
  },
});
