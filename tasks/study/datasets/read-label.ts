/** Reads one case's reference labels from a file or from a folder of masks. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { labelTable } from "../labels/labels.ts";
import { readLabels } from "../volume/nifti.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { layoutOf } from "./layouts.ts";

/**
 * The labels, in the dataset's own values, on the grid of the file. A path that ends in "/" is a folder with one
 * binary mask per organ, named as in the label table. Where masks overlap the greater value wins. An organ without a
 * file is absent.
 * @throws Error that names the file if it cannot be read, if masks lie on different grids, or if there is no mask
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
  if (combined === null) throw new Error(`${folder} has no mask of any organ of the dataset`);
  return combined;
}
