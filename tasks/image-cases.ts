/**
 * Lists the cases in a folder of images, for rules to fan out over (study/datasets/case-files.ts). A case's `images` are
 * its channels. It reads names only.
 */
import { task } from "lq";
import { z } from "zod";
import { passedOverText, Places } from "./study/datasets/case-files.ts";
import { volumesIn, type VolumeFiles } from "./study/datasets/volume-files.ts";
import { imageCases } from "./study/inference/cases.ts";
import { writeJson } from "./study/json.ts";

export default task({
  params: z.strictObject({
    /** The folder of the images, and the one for images that are converted. */
    folder: z.string(),
    converted: z.string(),
  }),
  run({ params: { folder, converted }, names, output, log }) {
    const { volumes, passedOver } = volumesIn(names("images"));
    passedOverText(folder, passedOver).forEach(log);
    const places = new Places();
    const pathOf = (image: VolumeFiles) => {
      const { path, isConverted } = places.of(image, folder);
      return isConverted ? converted + path : path;
    };
    const cases = imageCases(volumes).map(({ id, images }) => ({ id, images: images.map(pathOf) }));
    writeJson(output(), { cases, conversions: places.conversions });
  },
});
