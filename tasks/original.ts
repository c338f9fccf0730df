/** Writes a case's reference labels as one file, whether the dataset stores one file or a folder of masks. */
import { task } from "lq";
import { z } from "zod";
import { readCaseLabel } from "./study/datasets/read-label.ts";
import { writeNifti } from "./study/volume/nifti.ts";

export default task({
  params: z.strictObject({ layout: z.string() }),
  async run({ input, output, params }) {
    await writeNifti(output(), await readCaseLabel(params.layout, input("label")));
  },
});
