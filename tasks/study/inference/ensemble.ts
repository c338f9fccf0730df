/**
 * Averages the probabilities of several configurations of nnU-Net v2.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/ensembling/ensemble.py and inference/export_prediction.py.
 */
import { join } from "node:path";
import { type Shape, zerosLike } from "../arrays.ts";
import { boxShape, pasteArray } from "../resample/crop.ts";
import { resampleLogits } from "../resample/nnunet.ts";
import { fromCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { EnsembleModel, NetworkModel } from "./model.ts";
import { outputSeparation } from "./export.ts";
import { predictOutputs, type PredictSettings, readModel } from "./predict-nnunet.ts";
import type { Preprocessed } from "./preprocess.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { inverse, transposeArray } from "./transpose.ts";

/** Labels on the grid of `volumes`, which are the channels of one case as read. */
export async function predictEnsemble(
  folder: string,
  model: EnsembleModel,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<LabelVolume> {
  const sums: Float32Array[] = [];
  const { progress } = settings;
  for (const [i, name] of model.members.entries()) {
    const heads = await predictProbabilities(join(folder, name), volumes, {
      ...settings,
      ...(progress && { progress: (fraction: number) => progress((i + fraction) / model.members.length) }),
    });
    if (i === 0) sums.push(...heads);
    else heads.forEach((head, k) => head.forEach((p, v) => (sums[k]![v]! += p)));
  }
  for (const sum of sums) for (let v = 0; v < sum.length; v++) sum[v]! /= model.members.length;
  const { size, spacing, affine } = volumes[0]!;
  return { size, spacing, affine, data: labelsOfProbabilities(sums, model.output) };
}

/** Probabilities of each head on the grid of `volumes`, in the order of their voxels. */
export async function predictProbabilities(
  folder: string,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<Float32Array[]> {
  const model = await readModel(folder);
  if (model.kind !== "nnunet") throw new Error(`${folder}: not an nnU-Net`);
  const { outputs, input, turned } = await predictOutputs(folder, model, volumes, settings);
  const heads = await exportProbabilities(model, outputs, input, settings.crew);
  if (!model.reorient) return heads;
  return heads.map((data) => fromCanonical({ ...turned[0]!, data }, volumes[0]!).data);
}

/**
 * Resamples logits to the image's grid, (z, y, x) as the model reads it, then applies softmax or, for regions, the
 * sigmoid. Outside the crop background has probability 1, and regions have 0.
 */
export async function exportProbabilities(
  model: NetworkModel,
  outputs: readonly Float32Array[],
  from: Preprocessed,
  crew?: ResampleCrew,
): Promise<Float32Array[]> {
  const newShape = boxShape(from.box);
  const separate = outputSeparation(model, from);
  const logits: Float32Array[] = [];
  for (const head of outputs)
    logits.push(await resampleLogits(head, from.shape, newShape, { separate, result: Float32Array, crew }));
  const regions = model.output.kind === "regions";
  if (regions) for (const head of logits) head.forEach((v, i) => (head[i] = 1 / (1 + Math.exp(-v))));
  else softmax(logits);
  return logits.map((head, k) => {
    const whole = zerosLike(head, product(from.originalShape));
    if (!regions && k === 0) whole.fill(1);
    pasteArray(head, whole, from.originalShape, from.box);
    return transposeArray(whole, from.originalShape, inverse(model.transpose));
  });
}

const product = ([a, b, c]: Shape) => a * b * c;

/** Over the heads, in place. */
function softmax(heads: readonly Float32Array[]): void {
  for (let v = 0; v < heads[0]!.length; v++) {
    let greatest = -Infinity;
    for (const head of heads) greatest = Math.max(greatest, head[v]!);
    let sum = 0;
    for (const head of heads) sum += head[v] = Math.exp(head[v]! - greatest);
    for (const head of heads) head[v]! /= sum;
  }
}

/** The label with the greatest probability; for regions, the last one above one half. */
export function labelsOfProbabilities(
  heads: readonly Float32Array[],
  output: NetworkModel["output"],
): Uint8Array | Uint16Array {
  const highest = output.kind === "labels" ? output.count - 1 : Math.max(...output.values);
  const { length } = heads[0]!;
  const labels = highest < 255 ? new Uint8Array(length) : new Uint16Array(length);
  for (let v = 0; v < length; v++) {
    if (output.kind === "regions") {
      heads.forEach((head, k) => {
        if (head[v]! > 0.5) labels[v] = output.values[k]!;
      });
      continue;
    }
    let best = 0;
    for (let k = 1; k < heads.length; k++) if (heads[k]![v]! > heads[best]![v]!) best = k;
    labels[v] = best;
  }
  return labels;
}
