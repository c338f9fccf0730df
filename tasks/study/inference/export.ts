/**
 * Resamples the network's output to the image's grid and turns it into labels.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/inference/export_prediction.py; uni-medical/STU-Net
 * nnUNet-1.7.1/nnunet/inference/segmentation_export.py.
 */
import { zerosLike } from "../arrays.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { boxShape, pasteArray } from "../resample/crop.ts";
import { labelsOfHeads } from "../resample/labels-of-heads.ts";
import type { Grid, LabelVolume } from "../volume/volume.ts";
import { inverse, transposeArray } from "./transpose.ts";
import type { NetworkModel } from "./model.ts";
import { type Preprocessed, separation } from "./preprocess.ts";

/**
 * Labels on `grid`. `outputs` holds one array of the preprocessed shape for each head: logits (v2) or probabilities
 * (v1).
 */
export async function exportLabels(
  model: NetworkModel,
  outputs: readonly Float32Array[],
  from: Preprocessed,
  grid: Grid,
  crew?: ResampleCrew,
): Promise<LabelVolume> {
  const { box, originalShape, shape } = from;
  const separate = outputSeparation(model, from);
  const { output } = model;
  const [choice, highest] =
    output.kind === "labels"
      ? (["greatest", output.count - 1] as const)
      : ([output.values, Math.max(...output.values)] as const);
  const work = { heads: outputs, shape, newShape: boxShape(box), separate, choice };
  const labels = await labelsOfHeads(work, highest, crew);
  const length = originalShape[0] * originalShape[1] * originalShape[2];
  const whole = zerosLike(labels, length);
  pasteArray(labels, whole, originalShape, box);
  return { ...grid, data: transposeArray(whole, originalShape, inverse(model.transpose)) };
}

/** The axis along which the output is resampled slice by slice, or null. */
export function outputSeparation(
  model: NetworkModel,
  { spacing, originalSpacing }: Pick<Preprocessed, "spacing" | "originalSpacing">,
): 0 | 1 | 2 | null {
  // Version 2 checks the model's spacing first, version 1 the image's.
  return model.nnunet === 2
    ? separation(model.separateZ.output, spacing, originalSpacing)
    : separation(model.separateZ.output, originalSpacing, spacing);
}
