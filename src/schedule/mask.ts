/** CUDA_VISIBLE_DEVICES: which devices a process may see, as CUDA reads it. */
import type { Listed } from "./nvidia-smi.ts";

/** The entries of a mask up to the first that cannot be a device, which ends it. Null: there is no mask. */
export function readMask(value: string | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const entries = value.split(",").map((entry) => entry.trim().replace(/^0+(?=\d)/, ""));
  const end = entries.findIndex((entry) => !/^(\d+|GPU-.+|MIG-.+)$/.test(entry));
  return end === -1 ? entries : entries.slice(0, end);
}

/**
 * What is left when the driver has told what there is: an entry that is no device ends the mask, and a device that
 * it names twice is there once. Where the driver tells of nothing, entries are believed.
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

/** The device of an entry: an index, a UUID, or the beginning of one. Of a GPU that is divided, CUDA takes the first part. */
export function named(entry: string, listed: readonly Listed[]): Listed | undefined {
  if (/^\d+$/.test(entry)) return listed.find(({ index }) => index === entry);
  const name = ({ uuid, gpu }: Listed): string => (entry.startsWith("GPU-") ? gpu : uuid);
  const found = listed.filter((device) => name(device).startsWith(entry));
  const exact = found.find((device) => name(device) === entry);
  return exact ?? (new Set(found.map(name)).size === 1 ? found[0] : undefined);
}
