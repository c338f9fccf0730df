/**
 * TotalSegmentator v2: several nnU-Nets predict one image at a fixed spacing; their labels are joined to global classes.
 * Reference: wasserth/TotalSegmentator totalsegmentator/{nnunet,python_api,map_to_binary}.py.
 */
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeJson } from "../json.ts";
import { classNames } from "../labels/labels.ts";
import { resampleImageByCorners, resampleLabelsByCorners } from "../resample/corners.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { fromCanonical, toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { Model, TotalSegmentatorModel } from "./model.ts";
import { convertV2 } from "./nnunet-v2.ts";
import { inThirds, isVeryLarge } from "./thirds.ts";
import { type PredictSettings, predictVolumes, readModel } from "./predict-nnunet.ts";

/**
 * `folders` are nnU-Net v2 model folders; later ones overwrite earlier ones. Writes `model.json` and one folder for
 * each part to `out`. Throws an Error if a label of a part is no class of TotalSegmentator v2.
 */
export async function convertTotalSegmentator(
  folders: readonly string[],
  out: string,
): Promise<TotalSegmentatorModel> {
  const global = classNames("totalsegmentator-v2");
  const parts: TotalSegmentatorModel["parts"] = [];
  let spacing = 0;
  for (const source of folders) {
    const folder = basename(dirname(source));
    const model = await convertV2(source, join(out, folder));
    const ids = [0];
    for (const [name, value] of Object.entries(model.labels)) {
      const id = global.indexOf(name);
      if (id < 0) throw new Error(`${source}/dataset.json: ${name} is no class of TotalSegmentator v2`);
      ids[value] = id;
    }
    parts.push({ folder, ids: Array.from(ids, (id) => id ?? 0) });
    spacing = model.spacing[0];
  }
  await mkdir(out, { recursive: true });
  // The package uses a wider step for the five parts at full resolution.
  const model: TotalSegmentatorModel = {
    name: "TotalSegmentator",
    labels: Object.fromEntries(global.map((name, id) => [name, id] as const).slice(1)),
    spacing,
    step: folders.length > 1 ? 0.8 : 0.5,
    parts,
  };
  const file: Model = { kind: "totalsegmentator", ...model };
  writeJson(join(out, "model.json"), file);
  return model;
}

/** Global class ids on the grid of the image. */
export async function predictTotalSegmentator(
  folder: string,
  model: TotalSegmentatorModel,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<LabelVolume> {
  const [image, ...more] = volumes;
  if (!image || more.length > 0)
    throw new Error(`${model.name} takes one image a case, not ${volumes.length}`);
  const canonical = toCanonical(image);
  const fits = canonical.spacing.every((s) => s === model.spacing);
  const resampled = fits ? canonical : await atSpacing(canonical, model.spacing, settings.crew);
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
  const labelled = fits ? joined : await resampleLabelsByCorners(joined, canonical, settings.crew);
  return fromCanonical(labelled, image);
}

/** The joined labels of the networks; later ones overwrite earlier ones. */
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
    for (let v = 0; v < labels.length; v++)
      if (local.data[v] !== 0) labels[v] = part.ids[local.data[v]!] ?? 0;
  }
  return { ...volume, data: labels };
}

/** The result claims the nominal spacing, as in the package; that of corner-aligned voxels differs a little. */
async function atSpacing(volume: Volume, spacing: number, crew?: ResampleCrew): Promise<Volume> {
  const nominal = [spacing, spacing, spacing] as const;
  return { ...(await resampleImageByCorners(volume, nominal, 3, crew)), spacing: nominal };
}
