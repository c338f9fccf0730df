/** A case's image or labels, or both, on a dataset's median spacing; uncompressed, so that patches can be read alone. */
import { task } from "lq";
import { z } from "zod";
import { prepareImage, prepareLabels } from "./study/resample/prepare.ts";
import { normalisation, readStatistics } from "./study/params/settings.ts";
import { readLabels, readNifti, writeNifti } from "./study/volume/nifti.ts";

export default task({
  params: z.strictObject({ normalisation, image: z.boolean(), label: z.boolean() }),
  async run({ input, output, params }) {
    const { spacing } = readStatistics(input("stats"));
    if (params.image) {
      await writeNifti(
        output("image"),
        await prepareImage(await readNifti(input("image")), spacing, params.normalisation),
      );
    }
    if (params.label)
      await writeNifti(output("label"), await prepareLabels(await readLabels(input("label")), spacing));
  },
});
