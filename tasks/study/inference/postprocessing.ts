/**
 * nnU-Net v2's postprocessing: for some labels together, only the largest connected component is kept.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/postprocessing/remove_connected_components.py.
 */
import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { connectedParts } from "../components.ts";
import { readCheckpoint } from "../torch/checkpoint.ts";
import { Global, type Pickled } from "../torch/values.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { listOf, optional } from "./plain.ts";

/** One step for each element: the label values whose union keeps its largest component. */
export type Postprocessing = readonly (readonly number[])[];

const FILE = "postprocessing.pkl";

/**
 * The postprocessing of the models in `folders`, which lie under `root`, or null. A file in the folder of a single model
 * belongs to it; otherwise the file must lie outside the folders `all` of all models. Throws an Error if several could
 * be meant.
 */
export async function findPostprocessing(
  root: string,
  folders: readonly string[],
  all: readonly string[],
): Promise<string | null> {
  const names = await readdir(root, { recursive: true });
  const paths = names.filter((name) => name.split(/[\\/]/).at(-1) === FILE).map((name) => join(root, name));
  const within = (path: string, folder: string) => !relative(folder, dirname(path)).startsWith("..");
  const own = folders.length === 1 ? paths.filter((path) => within(path, folders[0]!)) : [];
  const others = paths.filter((path) => !all.some((folder) => within(path, folder)));
  const candidates = own.length > 0 ? own : others;
  if (candidates.length > 1) {
    const list = candidates.sort().map((path) => `\n  ${path}`);
    throw new Error(`${root} holds several postprocessings of this model; leave one there:${list.join("")}`);
  }
  return candidates[0] ?? null;
}

/**
 * Reads a postprocessing.pkl, a pair of lists: functions and their keyword arguments. Runs nothing in it. Throws an
 * Error that names the file, and the function or argument that is not known.
 */
export async function readPostprocessing(path: string): Promise<Postprocessing> {
  const pair = await readCheckpoint(path);
  const [functions, options] = Array.isArray(pair) ? pair.map((list) => listOf(list)) : [];
  if (!functions || functions.length !== options?.length) {
    throw new Error(`${path}: not a list of functions with a list of arguments for each`);
  }
  return functions.map((fn, i) => {
    const name = fn instanceof Global ? `${fn.module}.${fn.name}` : "something that is no function";
    if (!name.endsWith(".remove_all_but_largest_component_from_segmentation"))
      throw new Error(
        `${path}: ${name} is not supported (remove_all_but_largest_component_from_segmentation is)`,
      );
    const keys = options[i] instanceof Map ? [...options[i].keys()].map((key) => JSON.stringify(key)) : [];
    const unknown = keys.filter((key) => key !== '"labels_or_regions"' && key !== '"background_label"');
    if (unknown.length > 0) throw new Error(`${path}: argument ${unknown.join(", ")} is not supported`);
    const background = optional(options[i], "background_label") ?? 0;
    if (background !== 0) throw new Error(`${path}: background_label must be 0`);
    return labelValues(optional(options[i], "labels_or_regions"), path);
  });
}

/** A label, a region, or a list of both, as one list of label values. */
function labelValues(value: Pickled | undefined, path: string): number[] {
  const list = listOf(value);
  if (list) return [...new Set(list.flatMap((each) => labelValues(each, path)))];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1)
    throw new Error(`${path}: labels_or_regions holds something that is no label value`);
  return [value];
}

/** Sets to 0 what a step removes. Voxels that touch at corners are connected; equally large components all stay. */
export function postprocess(labels: LabelVolume, steps: Postprocessing): LabelVolume {
  const data = labels.data.slice();
  const [x, y, z] = labels.size;
  for (const values of steps) {
    const inside = Uint8Array.from(data, (value) => Number(values.includes(value)));
    const { parts, sizes } = connectedParts(inside, [z, y, x]);
    const largest = sizes.slice(1).reduce((a, b) => Math.max(a, b), 0);
    parts.forEach((part, i) => {
      if (part > 0 && sizes[part]! < largest) data[i] = 0;
    });
  }
  return { ...labels, data };
}
