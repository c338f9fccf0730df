/**
 * Turns images as read into the network's input, and remembers where the input lies in the images.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/preprocessors/default_preprocessor.py (v2: normalise, then
 * resample); uni-medical/STU-Net nnUNet-1.7.1/nnunet/preprocessing/preprocessing.py (v1: resample, then normalise).
 */
import type { Shape, Triple } from "../arrays.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { type Box, boxShape, cropArray, insideOf, nonZeroBox } from "../resample/crop.ts";
import { resampleLabelArray } from "../resample/labels.ts";
import { resampleImageArray, separateAxis, targetShape } from "../resample/nnunet.ts";
import { normaliseCT, normaliseZScore } from "../resample/normalise.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import type { LabelVolume, Volume, VoxelArray } from "../volume/volume.ts";
import { permute, transposeArray } from "./transpose.ts";
import type { NetworkModel, Normalisation } from "./model.ts";

export interface Preprocessed {
  /** (channels, ...shape) in C order; the axes are transposed as the model requires. */
  readonly data: Float32Array;
  readonly shape: Shape;
  /** Shape of the whole image, transposed, before cropping. */
  readonly originalShape: Shape;
  /** Millimetres along the transposed axes of the original. */
  readonly originalSpacing: Triple;
  /** The model's spacing; along the first axis that of the image if the network is 2D. */
  readonly spacing: Triple;
  /** The crop box in voxels of the transposed original. */
  readonly box: Box;
}

/**
 * `channels` are volumes on one grid, already in the orientation in which the model works. `previous` holds the labels
 * of a cascade's first stage on that grid; the 0/1 masks of its values follow the channels. Throws an Error if number
 * or grids do not fit, or if an axis has no voxel left at the model's spacing.
 */
export async function preprocess(
  model: NetworkModel,
  channels: readonly Volume[],
  crew?: ResampleCrew,
  previous?: LabelVolume,
): Promise<Preprocessed> {
  if (channels.length !== model.channels) {
    throw new Error(
      `${model.name} takes ${model.channels} ${model.channels === 1 ? "image (channel)" : "images (channels)"} a case, not ${channels.length}`,
    );
  }
  const [first] = channels as [Volume];
  for (const [i, channel] of channels.entries()) {
    requireSameGrid({ ...first, name: "channel 0" }, { ...channel, name: `channel ${i}` });
  }
  const { size, spacing } = first;
  const stored: Shape = [size[2], size[1], size[0]];
  const originalShape = permute(stored, model.transpose);
  const originalSpacing = permute([spacing[2], spacing[1], spacing[0]], model.transpose);
  const arrays = channels.map(({ data }) => transposeArray(inFloat32(data), stored, model.transpose));
  const box = nonZeroBox(arrays, originalShape);
  const cropped = boxShape(box);
  const target: Triple = [model.spacing[0] ?? originalSpacing[0], model.spacing[1], model.spacing[2]];
  const shape = targetShape(cropped, originalSpacing, target);
  if (shape.some((n) => n === 0)) {
    throw new Error(
      `the image is too thin: ${cropped.join("×")} voxels become ${shape.join("×")} at the model's spacing`,
    );
  }
  const separate = separation(model.separateZ.image, originalSpacing, target);
  const masked = model.normalisation.some((scheme) => scheme.scheme === "z-score" && scheme.useMask);
  const inside = masked ? cropArray(insideOf(arrays, originalShape), originalShape, box) : null;
  const mask =
    inside &&
    (model.nnunet === 1 ? await resampleLabelArray(inside, cropped, shape, separate, crew) : inside);
  const resampled = (values: Float32Array) =>
    resampleImageArray(values, cropped, shape, { separate, result: Float32Array, crew });

  const values = model.previousStage?.values ?? [];
  const voxels = shape[0] * shape[1] * shape[2];
  const data = new Float32Array((model.channels + values.length) * voxels);
  for (const [c, array] of arrays.entries()) {
    const channel = cropArray(array, originalShape, box);
    const scheme = model.normalisation[c]!;
    const result =
      model.nnunet === 2
        ? await resampled(normalise(channel, scheme, mask))
        : normaliseV1(await resampled(channel), scheme, mask);
    data.set(result, c * voxels);
  }
  if (model.previousStage) {
    if (!previous) throw new Error(`${model.name} needs the labels of the cascade's first stage`);
    requireSameGrid({ ...first, name: "channel 0" }, { ...previous, name: "the first stage's labels" });
    const whole = transposeArray(previous.data, stored, model.transpose);
    const along = separation(model.previousStage.separateZ, originalSpacing, target);
    const labels = cropArray(whole, originalShape, box);
    const resampledLabels = await resampleLabelArray(labels, cropped, shape, along, crew);
    for (const [c, value] of values.entries()) {
      const mask = data.subarray((model.channels + c) * voxels, (model.channels + c + 1) * voxels);
      for (let i = 0; i < voxels; i++) if (resampledLabels[i] === value) mask[i] = 1;
    }
  }
  return { data, shape, originalShape, originalSpacing, spacing: target, box };
}

const inFloat32 = (data: VoxelArray) => (data instanceof Float32Array ? data : new Float32Array(data));

/**
 * The axis along which slices are resampled one by one, or null. `wanted` null: decided by the spacings (mm), `first`
 * before `second`; true: the coarsest axis of `first`; false: none.
 */
export function separation(wanted: boolean | null, first: Triple, second: Triple): 0 | 1 | 2 | null {
  if (wanted === false) return null;
  if (wanted === null) return separateAxis(first, second);
  const coarse = ([0, 1, 2] as const).filter((axis) => first[axis] === Math.max(...first));
  return coarse.length === 1 ? coarse[0]! : null;
}

/** Normalises one channel. `inside` is the mask of the schemes that use one. */
function normalise(values: Float32Array, scheme: Normalisation, inside: Uint8Array | null): Float32Array {
  switch (scheme.scheme) {
    case "ct":
      return normaliseCT(values, {
        mean: scheme.mean,
        std: scheme.deviation,
        percentile_00_5: scheme.low,
        percentile_99_5: scheme.high,
      });
    case "z-score":
      return normaliseZScore(values, scheme.useMask && inside ? inside : undefined);
    case "none":
      return values;
    case "to-0-1": {
      const low = values.reduce((a, b) => Math.min(a, b), Infinity);
      const range = values.reduce((a, b) => Math.max(a, b), -Infinity) - low;
      return values.map((v) => (v - low) / Math.max(range, 1e-8));
    }
    case "rgb-to-0-1":
      return values.map((v) => v / 255);
  }
}

/** nnU-Net v1 sets voxels outside the mask to zero. */
function normaliseV1(values: Float32Array, scheme: Normalisation, inside: Uint8Array | null): Float32Array {
  const result = normalise(values, scheme, inside);
  const masked = scheme.scheme === "z-score" && scheme.useMask && inside;
  return masked ? result.map((v, i) => (masked[i] ? v : 0)) : result;
}
