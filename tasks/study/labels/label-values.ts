/** Turns a network's output channels into a dataset's label values. */
import { classNames, relabelled, remapper, type LabelSource, type LabelTable, type Organ } from "./labels.ts";
import type { LabelVolume } from "../volume/volume.ts";

/**
 * Replaces each voxel's output channel by the dataset's label value. A channel without a label becomes 0.
 * @param channels class name → output channel; the names are the dataset's own if `classes` is "all"
 */
export function toLabelValues(
  segmented: LabelVolume,
  channels: { readonly [name: string]: number },
  table: LabelTable<Organ | null>,
  classes: LabelSource,
): LabelVolume {
  return relabelled(segmented, valuesOf(channels, table, classes));
}

function valuesOf(
  channels: { readonly [name: string]: number },
  table: LabelTable<Organ | null>,
  classes: LabelSource,
): Uint16Array {
  const values = new Uint16Array(1 + Math.max(0, ...Object.values(channels)));
  if (classes === "all") {
    for (const [value, { name }] of table) values[channels[name] ?? 0] = value;
  } else {
    const lookup = remapper(table, classes);
    for (const [name, channel] of Object.entries(channels))
      values[channel] = lookup[classNames(classes).indexOf(name)] ?? 0;
  }
  values[0] = 0;
  return values;
}
