/** Recognises a model by its files and converts it to ONNX. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { convertSam } from "./convert-sam.ts";
import { convertV1 } from "./nnunet-v1.ts";
import { convertV2 } from "./nnunet-v2.ts";
import { convertTotalSegmentator } from "./totalsegmentator.ts";

export type RecognisedModel =
  | { readonly kind: "nnunet-v2"; readonly folder: string; readonly dataset: number | null }
  /** Includes STU-Net, which is recognised by the names of its weights. */
  | { readonly kind: "nnunet-v1"; readonly folder: string }
  | { readonly kind: "totalsegmentator"; readonly folders: readonly string[] }
  /** SAM or MedSAM. */
  | { readonly kind: "sam"; readonly checkpoint: string };

/** How deep the search goes. A model of v1 lies in RESULTS/nnUNet/CONFIGURATION/TASK/TRAINER. */
const maxDepth = 6;

/**
 * Finds the model in a folder or its subfolders. nnU-Net v2 has plans.json; v1 and STU-Net have plans.pkl;
 * TotalSegmentator has its five parts (Dataset291 to 295) or the 3 mm or 6 mm network (297, 298); SAM is a single .pth
 * file. If there is no model, or more than one, throws an Error that says what was expected and what was found.
 */
export async function recogniseModel(folder: string): Promise<RecognisedModel> {
  const found = await findModels(folder, maxDepth);
  const trainedOn = (id: number) =>
    found.flatMap((model) => (model.kind === "nnunet-v2" && model.dataset === id ? [model.folder] : []));
  const parts = [291, 292, 293, 294, 295].map(trainedOn);
  if (parts.every((folders) => folders.length === 1)) {
    return { kind: "totalsegmentator", folders: parts.flat() };
  }
  const [only, ...more] = found;
  if (!only) throw new Error(await nothingIn(folder));
  if (more.length > 0) {
    const list = found.map((model) => `\n  ${placeOf(model)}`).join("");
    throw new Error(`${folder} holds ${found.length} models; name one of them:${list}`);
  }
  const single = [297, 298].flatMap(trainedOn);
  return single.length > 0 ? { kind: "totalsegmentator", folders: single } : only;
}

type Found = Exclude<RecognisedModel, { kind: "totalsegmentator" }>;

async function findModels(folder: string, depth: number): Promise<Found[]> {
  const names = (await readdir(folder)).sort();
  if (names.includes("plans.json") && names.includes("dataset.json")) {
    return [{ kind: "nnunet-v2", folder, dataset: await datasetOf(folder) }];
  }
  if (names.includes("plans.pkl")) return [{ kind: "nnunet-v1", folder }];
  const checkpoints = names.filter((name) => name.endsWith(".pth") && !isNetworkOfFold(folder));
  const found: Found[] = checkpoints.map((name) => ({ kind: "sam", checkpoint: join(folder, name) }));
  if (depth === 0) return found;
  for (const name of names) {
    const path = join(folder, name);
    if ((await stat(path)).isDirectory()) found.push(...(await findModels(path, depth - 1)));
  }
  return found;
}

/** Whether a folder is a fold of nnU-Net. Its .pth files are then no SAM; only its plans are missing. */
function isNetworkOfFold(folder: string): boolean {
  return /^(fold_\w+|all)$/.test(basename(folder));
}

function placeOf(model: Found): string {
  return model.kind === "sam" ? model.checkpoint : model.folder;
}

const LOOKED_FOR = `a folder of nnU-Net v2 or TotalSegmentator has plans.json, dataset.json and fold_0/checkpoint_final.pth,
one of nnU-Net v1 or STU-Net plans.pkl and fold_0/*.model with *.model.pkl; SAM is a single file *.pth`;

async function nothingIn(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const some = names.slice(0, 5).join(", ") + (names.length > 5 ? `, … (${names.length} in all)` : "");
  return `${folder}: no model is recognised: ${LOOKED_FOR}.\nThere is ${some || "nothing"}.`;
}

/** The number of the dataset on which a model of nnU-Net v2 was trained, from its folder's name or from its plans. */
async function datasetOf(folder: string): Promise<number | null> {
  const plans = await readFile(join(folder, "plans.json"), "utf8");
  const named =
    /[\\/]Dataset(\d{3})_[^\\/]+[\\/][^\\/]+[\\/]?$/.exec(folder) ??
    /"dataset_name":\s*"Dataset(\d{3})_/.exec(plans);
  return named ? Number(named[1]) : null;
}

export interface ConvertSettings {
  /** Number of attention heads of SAM's mask decoder. The weights do not contain it; every released model has 8 (default). */
  readonly decoderHeads?: number;
}

/**
 * Writes the converted model (`model.json`, ONNX graphs, weights) to the folder `out`, for predictCase or, for SAM,
 * predictMedSam. Returns the recognised model.
 */
export async function convertModel(
  folder: string,
  out: string,
  { decoderHeads }: ConvertSettings = {},
): Promise<RecognisedModel> {
  const model = await recogniseModel(folder);
  switch (model.kind) {
    case "nnunet-v2":
      await convertV2(model.folder, out);
      break;
    case "nnunet-v1":
      await convertV1(model.folder, out);
      break;
    case "totalsegmentator":
      await convertTotalSegmentator(model.folders, out);
      break;
    case "sam":
      await convertSam(model.checkpoint, out, decoderHeads);
  }
  return model;
}
