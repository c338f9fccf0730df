/** Writes a case's reference labels as one file, whether the dataset stores one file or a folder of masks. */
import { task } from "lq";
import { z } from "zod";
import { volumeOf } from "./study/datasets/input-files.ts";
import { readCaseLabel } from "./study/datasets/read-label.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { reading, warnings } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({ layout: z.string(), reading }),
  async run({ inputs, output, params: { layout, reading }, log }) {
    await writeNifti(
      output(),
      await readCaseLabel(layout, volumeOf({ inputs }, "label"), reading, warnings(log)),
    );
  },
});
