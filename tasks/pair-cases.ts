/**
 * Pairs the volumes of two folders by their names, for rules to fan out over; see study/datasets/case-files.ts. It
 * reads names only. The fields of a case have the names of the inputs.
 */
import { task } from "lq";
import { z } from "zod";
import { pairVolumes, passedOverText, Places } from "./study/datasets/case-files.ts";
import { volumesIn, type FoundVolumes, type VolumeFiles } from "./study/datasets/volume-files.ts";
import { writeJson } from "./study/json.ts";

const folder = z.tuple([z.string(), z.string()]);

export default task({
  params: z.strictObject({
    /** Name and folder of the inputs: first the images, or what else is compared with the second one's labels. */
    first: folder,
    second: folder,
    /** Folder for volumes that are converted. */
    converted: z.string(),
  }),
  run({ params, names, output, log }) {
    const [[image, images], [label, labels]] = [params.first, params.second];
    const found = { image: volumesIn(names(image)), label: withoutSeries(volumesIn(names(label))) };
    const paired = pairVolumes(found.image, found.label);
    const channels = paired.channels.map(({ files }) => files[0]!);
    for (const line of passedOverText(images, [...channels, ...found.image.passedOver])) log(line);
    for (const line of passedOverText(labels, found.label.passedOver)) log(line);
    const lonely = [
      ...lonelyText(images, paired.images, labels),
      ...lonelyText(labels, paired.labels, images),
    ];
    if (lonely.length > 0) throw new Error(lonely.join("\n"));
    if (paired.pairs.length === 0) throw new Error(`there is no volume in ${images}`);
    const places = new Places();
    const pathOf = (volume: VolumeFiles, folder: string) => {
      const { path, isConverted } = places.of(volume, folder);
      return isConverted ? params.converted + path : path;
    };
    const cases = paired.pairs.map((pair) => ({
      id: pair.id,
      [image]: pathOf(pair.image, images),
      [label]: pathOf(pair.label, labels),
    }));
    writeJson(output(), { cases, conversions: places.conversions });
  },
});

/** Labels are no DICOM images. */
function withoutSeries({ volumes, passedOver }: FoundVolumes): FoundVolumes {
  const isSeries = ({ format }: VolumeFiles) => format === "dicom";
  return {
    volumes: volumes.filter((volume) => !isSeries(volume)),
    passedOver: [...passedOver, ...volumes.filter(isSeries).map(({ files }) => files[0]!)],
  };
}

/** A line about volumes without a partner in the other folder; none if there are none. */
function lonelyText(folder: string, volumes: readonly VolumeFiles[], other: string): string[] {
  if (volumes.length === 0) return [];
  const names = volumes.slice(0, 5).map(({ files }) => folder + files[0]!);
  const more = volumes.length > 5 ? ` and ${volumes.length - 5} more` : "";
  return [`${names.join(", ")}${more}: no volume of the same name in ${other}`];
}
