/** One case's reference labels, however the dataset stores them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { labelTable } from "../labels/labels.ts";
import { readLabels } from "../volume/nifti.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { layoutOf } from "./layouts.ts";

/**
 * Labels in the dataset's own values. A path that ends in "/" is a folder of one binary mask an organ, named as
 * in the label table; where masks overlap, the greater value wins, and an organ without a file is absent.
 * Throws naming the file if it is broken, if masks differ in shape, or if the folder holds none.
 */
export async function readCaseLabel(layout: string, path: string): Promise<LabelVolume> {
  return path.endsWith("/") ? readMasks(layout, path) : readLabels(path);
}

async function readMasks(layout: string, folder: string): Promise<LabelVolume> {
  const table = layoutOf(layout).labels;
  if (table === null) throw new Error(`${folder}: the layout "${layout}" has one file a case, not a folder`);
  const files = new Set(await readdir(folder));
  const organs = [...labelTable(table)]
    .filter(([, { name }]) => files.has(`${name}.nii.gz`))
    .sort(([a], [b]) => a - b);

  let combined: LabelVolume | null = null;
  for (const [value, { name }] of organs) {
    const path = join(folder, `${name}.nii.gz`);
    const mask = await readLabels(path);
    combined ??= { ...mask, data: new Uint8Array(mask.data.length) };
    if (mask.size.join() !== combined.size.join()) {
      throw new Error(
        `${path} has ${mask.size.join("×")} voxels, the masks beside it ${combined.size.join("×")}`,
      );
    }
    for (let i = 0; i < mask.data.length; i++) if (mask.data[i]! > 0) combined.data[i] = value;
  }
  if (combined === null) throw new Error(`${folder} holds no mask of an organ of the dataset`);
  return combined;
}
