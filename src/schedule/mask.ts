/** CUDA_VISIBLE_DEVICES: which devices a process may see, as CUDA reads it. */
import type { Listed } from "./nvidia-smi.ts";

/**
 * The entries of a mask up to the first that cannot be a device, which ends it. Null: there is no mask. Of a number
 * the driver reads the digits that it begins with, as C's strtol.
 */
export function readMask(value: string | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const entries: string[] = [];
  for (const entry of value.split(",")) {
    const id = /^\s*(?:\+?0*(\d+)|((?:GPU|MIG)-.*\S))/.exec(entry);
    if (id === null) break;
    entries.push(id[1] ?? id[2] ?? "");
  }
  return entries;
}

/**
 * What is left when the driver has told what there is: an entry that is no device ends the mask, and a device that
 * it names twice is there once (CUDA itself would start nothing behind such a mask, but tasks see one of lq's own).
 * Where the driver tells of nothing, entries are believed.
 */
export function upToInvalid(mask: readonly string[], listed: readonly Listed[]): readonly string[] {
  if (listed.length === 0) return [...new Set(mask)];
  const ids = new Map<string, string>();
  for (const id of mask) {
    const device = named(id, listed);
    // An older name of a MIG instance, "MIG-GPU-…/1/0", is valid where the driver lists the newer one.
    if (device === undefined && !id.startsWith("MIG-GPU-")) break;
    const uuid = device?.uuid ?? id;
    if (!ids.has(uuid)) ids.set(uuid, id);
  }
  return [...ids.values()];
}

/**
 * The device of an entry: an index, a UUID, or the beginning of one, in letters of either case. Of a GPU that is
 * divided, CUDA takes the first part.
 */
export function named(entry: string, listed: readonly Listed[]): Listed | undefined {
  if (/^\d+$/.test(entry)) return listed.find(({ index }) => index === entry);
  const wanted = entry.toLowerCase();
  const name = ({ uuid, gpu }: Listed): string => (wanted.startsWith("gpu-") ? gpu : uuid).toLowerCase();
  const found = listed.filter((device) => name(device).startsWith(wanted));
  const exact = found.find((device) => name(device) === wanted);
  return exact ?? (new Set(found.map(name)).size === 1 ? found[0] : undefined);
}
