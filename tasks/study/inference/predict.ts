/** Predicts one case with any converted model. */
import { resampleCrew } from "../resample/crew.ts";
import { DEFAULT_READING, readImage, type Reading, warnings } from "../volume/reading.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { type PredictSettings, predictVolumes, readModel } from "./predict-nnunet.ts";
import { predictEnsemble } from "./ensemble.ts";
import { postprocess } from "./postprocessing.ts";
import { predictTotalSegmentator } from "./totalsegmentator.ts";

/**
 * Labels of one case on the grid of its first image. `folder` is a converted model (see convertModel); `images` are
 * the paths of its channels in order, which must lie on one grid. Sessions stay open between cases.
 */
export async function predictCase(
  folder: string,
  images: readonly string[],
  { reading, ...settings }: Omit<PredictSettings, "crew"> & { readonly reading?: Reading } = {},
): Promise<LabelVolume> {
  const model = await readModel(folder);
  const how = reading ?? DEFAULT_READING;
  const warn = warnings(settings.log ?? (() => undefined));
  const volumes = await Promise.all(images.map((path) => readImage(path, how, warn, { float32: true })));
  for (const [i, volume] of volumes.slice(1).entries())
    requireSameGrid(
      { ...volumes[0]!, name: images[0]! },
      { ...volume, name: images[i + 1]! },
      how.grid_tolerance,
    );
  const crew = resampleCrew(settings.threads ?? 1);
  try {
    if (model.kind === "totalsegmentator")
      return await predictTotalSegmentator(folder, model, volumes, { ...settings, crew });
    const labels =
      model.kind === "nnunet"
        ? await predictVolumes(folder, model, volumes, { ...settings, crew })
        : await predictEnsemble(folder, model, volumes, { ...settings, crew });
    return postprocess(labels, model.postprocessing ?? []);
  } finally {
    await crew.close();
  }
}
