/** Predicts cases with a converted model, whatever its origin. */
import { readNifti } from "../volume/nifti.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { type PredictSettings, predictVolumes, readModel } from "./predict-nnunet.ts";
import { predictTotalSegmentator } from "./totalsegmentator.ts";

/**
 * Labels for one case on the grid of its first image. `folder` is a converted model (see convertModel); `images` are
 * the paths of its channels in order. Sessions are kept between cases.
 */
export async function predictCase(
  folder: string,
  images: readonly string[],
  settings: PredictSettings = {},
): Promise<LabelVolume> {
  const model = await readModel(folder);
  const volumes = await Promise.all(images.map((path) => readNifti(path, { float32: true })));
  return model.kind === "nnunet"
    ? predictVolumes(folder, model, volumes, settings)
    : predictTotalSegmentator(folder, model, volumes, settings);
}
