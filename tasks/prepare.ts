/**
 * Resamples a case's image, labels or both to a dataset's median spacing. The files stay uncompressed: training reads
 * single patches.
 */
import { task } from "lq";
import { z } from "zod";
import { volumeOf } from "./study/datasets/input-files.ts";
import { prepareImage, prepareLabels } from "./study/resample/prepare.ts";
import { normalisation, readStatistics } from "./study/params/settings.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { readImage, reading, readLabelMap, warnings } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({ normalisation, reading, image: z.boolean(), label: z.boolean() }),
  async run({ input, inputs, output, params, log }) {
    const { spacing } = readStatistics(input("stats"));
    const warn = warnings(log);
    if (params.image) {
      const image = await readImage(volumeOf({ inputs }, "image"), params.reading, warn);
      await writeNifti(output("image"), await prepareImage(image, spacing, params.normalisation));
    }
    if (params.label) {
      const labels = await readLabelMap(volumeOf({ inputs }, "label"), params.reading, warn);
      await writeNifti(output("label"), await prepareLabels(labels, spacing));
    }
  },
});
