/** Predicts one case with any converted model. */
import { resampleCrew } from "../resample/crew.ts";
import { readNifti } from "../volume/nifti.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { type PredictSettings, predictVolumes, readModel } from "./predict-nnunet.ts";
import { predictEnsemble } from "./ensemble.ts";
import { postprocess } from "./postprocessing.ts";
import { predictTotalSegmentator } from "./totalsegmentator.ts";

/**
 * Labels of one case on the grid of its first image. `folder` is a converted model (see convertModel); `images` are
 * the paths of its channels in order. Sessions stay open between cases.
 */
export async function predictCase(
  folder: string,
  images: readonly string[],
  settings: Omit<PredictSettings, "crew"> = {},
): Promise<LabelVolume> {
  const model = await readModel(folder);
  const volumes = await Promise.all(images.map((path) => readNifti(path, { float32: true })));
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
