/**
 * From the network's output back to labels on the image's grid.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/inference/export_prediction.py; uni-medical/STU-Net
 * nnUNet-1.7.1/nnunet/inference/segmentation_export.py.
 */
import { boxShape, pasteArray } from "../resample/crop.ts";
import { resampleLogits } from "../resample/nnunet.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { inverse, transposeArray } from "./arrays.ts";
import type { NetworkModel } from "./model.ts";
import { type Preprocessed, separation } from "./preprocess.ts";

type Labels = Uint8Array | Uint16Array;

/**
 * `outputs` holds one array of the preprocessed shape for each head: logits (v2) or probabilities (v1). They are
 * resampled one after the other, so that no more than two heads are in memory at the image's size.
 */
export function exportLabels(
  model: NetworkModel,
  outputs: readonly Float32Array[],
  from: Preprocessed,
  grid: Pick<Volume, "size" | "spacing" | "affine">,
): LabelVolume {
  const { box, originalShape, originalSpacing, shape } = from;
  const cropped = boxShape(box);
  const spacings = [model.spacing, originalSpacing] as const;
  // v2 looks at the spacing that is left first, v1 at that of the image.
  const [first, second] = model.nnunet === 2 ? spacings : [spacings[1], spacings[0]];
  const separate = separation(model.separateZ.output, first, second);
  const heads = outputs.map(
    (values) => () => resampleLogits(values, shape, cropped, { separate, result: Float32Array }),
  );
  const labels =
    model.output.kind === "labels"
      ? greatest(heads, emptyLabels(model.output.count - 1, cropped))
      : regions(heads, model.output.values, emptyLabels(Math.max(...model.output.values), cropped));
  const whole = new (labels.constructor as new (n: number) => Labels)(
    originalShape[0] * originalShape[1] * originalShape[2],
  );
  pasteArray(labels, whole, originalShape, box);
  return { ...grid, data: transposeArray(whole, originalShape, inverse(model.transpose)) };
}

function emptyLabels(highest: number, shape: readonly number[]): Labels {
  const length = shape.reduce((a, b) => a * b, 1);
  return highest < 255 ? new Uint8Array(length) : new Uint16Array(length);
}

/** The head with the greatest value, the first of equals. */
function greatest(heads: readonly (() => Float32Array)[], labels: Labels): Labels {
  const best = heads[0]!();
  for (let k = 1; k < heads.length; k++) {
    const values = heads[k]!();
    for (let i = 0; i < best.length; i++) {
      if (values[i]! > best[i]!) {
        best[i] = values[i]!;
        labels[i] = k;
      }
    }
  }
  return labels;
}

/** Each head writes its value where its sigmoid is above one half, later heads over earlier ones. */
function regions(heads: readonly (() => Float32Array)[], written: readonly number[], labels: Labels): Labels {
  heads.forEach((head, k) => {
    const values = head();
    for (let i = 0; i < values.length; i++) if (values[i]! > 0) labels[i] = written[k]!;
  });
  return labels;
}
