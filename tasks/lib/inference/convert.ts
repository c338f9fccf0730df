/** Recognises a model by its files and converts it to ONNX once. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { convertV1 } from "./nnunet-v1.ts";
import { convertV2 } from "./nnunet-v2.ts";
import { convertTotalSegmentator } from "./totalsegmentator.ts";

export type RecognisedModel =
  | { readonly kind: "nnunet-v2"; readonly folder: string }
  /** Also STU-Net, which is told by its weights' names. */
  | { readonly kind: "nnunet-v1"; readonly folder: string }
  | { readonly kind: "totalsegmentator"; readonly folders: readonly string[] };

/** Folders above a model that are searched. */
const maxDepth = 4;

/**
 * What a folder, or what lies below it, is: nnU-Net v2 has plans.json, v1 and STU-Net plans.pkl; TotalSegmentator
 * its five parts (Dataset291 to 295) or the 3 mm or 6 mm net (297, 298). Throws an Error where there is nothing, or
 * more than one model.
 */
export async function recogniseModel(folder: string): Promise<RecognisedModel> {
  const found = await findModels(folder, maxDepth);
  const total = (id: number) => found.filter((m) => m.kind === "nnunet-v2" && datasetOf(m.folder) === id);
  const parts = [291, 292, 293, 294, 295].map(total);
  if (parts.every((models) => models.length === 1)) {
    return { kind: "totalsegmentator", folders: parts.map(([part]) => part!.folder) };
  }
  const [only, ...more] = found;
  if (!only) {
    throw new Error(
      `${folder}: no model: neither plans.json with dataset.json (nnU-Net v2) nor plans.pkl (v1)`,
    );
  }
  if (more.length > 0) {
    const list = found.map((model) => `\n  ${model.folder}`).join("");
    throw new Error(`${folder} holds ${found.length} models; name one of them:${list}`);
  }
  const single = only.kind === "nnunet-v2" && [297, 298].includes(datasetOf(only.folder) ?? 0);
  return single ? { kind: "totalsegmentator", folders: [only.folder] } : only;
}

interface Found {
  readonly kind: "nnunet-v2" | "nnunet-v1";
  readonly folder: string;
}

async function findModels(folder: string, depth: number): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = new Set(entries.map((entry) => entry.name));
  if (names.has("plans.json") && names.has("dataset.json")) return [{ kind: "nnunet-v2", folder }];
  if (names.has("plans.pkl")) return [{ kind: "nnunet-v1", folder }];
  if (depth === 0) return [];
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const found = await Promise.all(below.sort().map((name) => findModels(join(folder, name), depth - 1)));
  return found.flat();
}

function datasetOf(folder: string): number | null {
  const match = /[\\/]Dataset(\d{3})_[^\\/]+[\\/][^\\/]+[\\/]?$/.exec(folder);
  return match ? Number(match[1]) : null;
}

/**
 * Writes the converted model (`model.json`, ONNX graphs, weights) to the folder `out`, for predictCase. `folds`
 * chooses folds by name; all that are there by default.
 */
export async function convertModel(folder: string, out: string, folds?: readonly string[]): Promise<void> {
  const model = await recogniseModel(folder);
  switch (model.kind) {
    case "nnunet-v2":
      return void (await convertV2(model.folder, out, folds));
    case "nnunet-v1":
      return void (await convertV1(model.folder, out, folds));
    case "totalsegmentator":
      return void (await convertTotalSegmentator(model.folders, out));
  }
}
