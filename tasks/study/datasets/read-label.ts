/** Reads one case's reference labels from a file or from a folder of masks. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { labelTable } from "../labels/labels.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import { readLabelMap, type Reading, type Warn } from "../volume/reading.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { layoutOf } from "./layouts.ts";

/**
 * The labels, in the dataset's own values, on the grid of the file. A path that ends in "/" is a folder with one
 * binary mask per organ, named as in the label table. Where masks overlap the greater value wins. An organ without a
 * file is absent.
 * @throws Error that names the file if it cannot be read, if masks lie on different grids, or if there is no mask
 */
export async function readCaseLabel(
  layout: string,
  path: string,
  reading: Reading,
  warn: Warn,
): Promise<LabelVolume> {
  return path.endsWith("/") ? readMasks(layout, path, reading, warn) : readLabelMap(path, reading, warn);
}

async function readMasks(layout: string, folder: string, reading: Reading, warn: Warn): Promise<LabelVolume> {
  const table = layoutOf(layout).labels;
  if (table === null) throw new Error(`${folder}: the layout "${layout}" has one file a case, not a folder`);
  const files = new Set(await readdir(folder));
  const organs = [...labelTable(table)]
    .filter(([, { name }]) => files.has(`${name}.nii.gz`))
    .sort(([a], [b]) => a - b);

  let combined: (LabelVolume & { readonly name: string }) | null = null;
  for (const [value, { name }] of organs) {
    const path = join(folder, `${name}.nii.gz`);
    const mask = await readLabelMap(path, reading, warn);
    combined ??= { ...mask, name: path, data: new Uint8Array(mask.data.length) };
    requireSameGrid(combined, { ...mask, name: path }, reading.grid_tolerance);
    for (let i = 0; i < mask.data.length; i++) if (mask.data[i]! > 0) combined.data[i] = value;
  }
  if (combined === null) throw new Error(`${folder} has no mask of any organ of the dataset`);
  const { data, size, spacing, affine } = combined;
  return { data, size, spacing, affine };
}
