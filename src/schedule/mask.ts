/** Reads CUDA_VISIBLE_DEVICES as CUDA does: it names the devices that a process may see. */
import type { Listed } from "./nvidia-smi.ts";

/**
 * The entries of a mask. The first entry that cannot be a device ends the mask. Null means that there is no mask. The
 * driver reads a number like C's strtol: it takes the digits at the beginning and ignores the rest.
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
 * The entries of the mask that the driver confirms. An entry that is not a device ends the mask. A device that the mask
 * names twice counts once. CUDA itself would see no device with such a mask, but lq gives its tasks a mask of its own.
 * If the driver lists no devices, lq takes the entries as they are.
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
 * The device of an entry: an index, a UUID, or the beginning of a UUID, in upper or lower case. CUDA takes the first
 * part of a divided GPU.
 */
export function named(entry: string, listed: readonly Listed[]): Listed | undefined {
  if (/^\d+$/.test(entry)) return listed.find(({ index }) => index === entry);
  const wanted = entry.toLowerCase();
  const name = ({ uuid, gpu }: Listed): string => (wanted.startsWith("gpu-") ? gpu : uuid).toLowerCase();
  const found = listed.filter((device) => name(device).startsWith(wanted));
  const exact = found.find((device) => name(device) === wanted);
  return exact ?? (new Set(found.map(name)).size === 1 ? found[0] : undefined);
}
