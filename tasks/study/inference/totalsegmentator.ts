/**
 * TotalSegmentator: crops an image to organs of a rough run, predicts it with several nnU-Nets at a fixed spacing, and
 * joins their labels. Reference: wasserth/TotalSegmentator totalsegmentator/{nnunet,python_api,map_to_binary}.py.
 */
import { join } from "node:path";
import { resampleImageByCorners, resampleLabelsByCorners } from "../resample/corners.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { fromCanonical, toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { TotalSegmentatorModel } from "./model.ts";
import { type PredictSettings, predictVolumes, readModel } from "./predict-nnunet.ts";
import { cleanUpBody, cropBox, cropVolume, keepNear, pasteLabels } from "./totalsegmentator-crop.ts";
import { cleanUpVertebrae, refineVertebrae } from "./totalsegmentator-vertebrae.ts";
import { inThirds, isVeryLarge } from "./thirds.ts";

/** Folder in a converted model that holds the model of the rough run. */
export const ROUGH = "rough";

/** Folder in a converted model that holds the network which bounds the labels. */
export const REFINE = "refine";

/** The task's class values on the grid of the image. */
export async function predictTotalSegmentator(
  folder: string,
  model: TotalSegmentatorModel,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<LabelVolume> {
  const [image, ...more] = volumes;
  if (!image || more.length > 0)
    throw new Error(`${model.name} takes one image a case, not ${volumes.length}`);
  if (!model.crop) return predictWhole(folder, model, image, settings);
  const { progress } = settings;
  const rough = await readModel(join(folder, ROUGH));
  if (rough.kind !== "totalsegmentator") throw new Error(`${folder}/${ROUGH}: not a TotalSegmentator`);
  const organs = await predictTotalSegmentator(join(folder, ROUGH), rough, [image], {
    ...settings,
    ...(progress && { progress: (fraction: number) => progress(fraction / 2) }),
  });
  const box = cropBox(organs, model.crop.values, model.crop.margin);
  // Without the organs there is nothing to label.
  if (box === null) return { ...image, data: new Uint8Array(image.data.length) };
  const labels = await predictWhole(folder, model, cropVolume(image, box), {
    ...settings,
    ...(progress && { progress: (fraction: number) => progress((1 + fraction) / 2) }),
  });
  const whole = pasteLabels(labels, image, box);
  return model.keepNear ? keepNear(whole, organs, model.keepNear.values, model.keepNear.millimetres) : whole;
}

/** Predicts an image without a crop. */
async function predictWhole(
  folder: string,
  model: TotalSegmentatorModel,
  image: Volume,
  settings: PredictSettings,
): Promise<LabelVolume> {
  const canonical = toCanonical(image);
  const { spacing } = model;
  const fits = spacing === null || canonical.spacing.every((s, axis) => s === spacing[axis]);
  const resampled = fits ? canonical : await atSpacing(canonical, spacing, model.order, settings.crew);
  // As in the package, only models with several networks cut the volume.
  const cut = model.parts.length > 1 && isVeryLarge(resampled.size);
  const { progress } = settings;
  let done = 0;
  const predict = (volume: Volume) =>
    predictParts(folder, model, volume, {
      ...settings,
      ...(progress && { progress: (fraction: number) => progress((done + fraction) / (cut ? 3 : 1)) }),
    }).finally(() => done++);
  const joined = cut ? await inThirds(resampled, predict) : await predict(resampled);
  const cleaned = await cleanUp(folder, model, joined, resampled, settings);
  const labelled = fits ? cleaned : await resampleLabelsByCorners(cleaned, canonical, settings.crew);
  return fromCanonical(labelled, image);
}

/** The clean-up of a task's labels on the grid of the networks. */
async function cleanUp(
  folder: string,
  model: TotalSegmentatorModel,
  labels: LabelVolume,
  image: Volume,
  settings: PredictSettings,
): Promise<LabelVolume> {
  if (model.cleanUp === "body") return cleanUpBody(labels, model.labels);
  if (model.cleanUp !== "vertebrae") return labels;
  const vertebrae = cleanUpVertebrae(labels, model.labels);
  if (!model.refine) return vertebrae;
  const network = await readModel(join(folder, REFINE));
  if (network.kind !== "nnunet") throw new Error(`${folder}/${REFINE}: not an nnU-Net`);
  // The parts' progress is already at its end.
  const quiet = { ...settings, step: settings.step ?? model.step, progress: () => undefined };
  const bodies = await predictVolumes(join(folder, REFINE), network, [image], quiet);
  return refineVertebrae(vertebrae, bodies.data);
}

/** The joined labels of the networks. */
async function predictParts(
  folder: string,
  model: TotalSegmentatorModel,
  volume: Volume,
  settings: PredictSettings,
): Promise<LabelVolume> {
  const labels = new Uint8Array(volume.data.length);
  const { progress, ...rest } = settings;
  for (const [i, part] of model.parts.entries()) {
    const partFolder = join(folder, part.folder);
    const network = await readModel(partFolder);
    if (network.kind !== "nnunet") throw new Error(`${partFolder}: not an nnU-Net`);
    const local = await predictVolumes(partFolder, network, [volume], {
      ...rest,
      step: settings.step ?? model.step,
      ...(progress && { progress: (fraction: number) => progress((i + fraction) / model.parts.length) }),
    });
    joinPart(labels, local.data, part.ids);
  }
  return { ...volume, data: labels };
}

/** Writes a part's labels into `labels` where they are not background, as the task's class values `ids`. */
export function joinPart(labels: Uint8Array, part: ArrayLike<number>, ids: readonly number[]): void {
  for (let v = 0; v < labels.length; v++) if (part[v] !== 0) labels[v] = ids[part[v]!] ?? 0;
}

/** The result claims the nominal spacing, as in the package; that of corner-aligned voxels differs a little. */
export async function atSpacing(
  volume: Volume,
  spacing: readonly [number, number, number],
  order: 1 | 3,
  crew?: ResampleCrew,
): Promise<Volume> {
  return { ...(await resampleImageByCorners(volume, spacing, order, crew)), spacing };
}
