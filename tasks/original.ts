/** A case's reference labels as one file, whatever the dataset's own form of them is. */
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
