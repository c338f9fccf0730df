/**
 * Resamples a case's image, labels or both to a dataset's median spacing. The files stay uncompressed: training reads
 * single patches.
 */
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
