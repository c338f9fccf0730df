/** Measures the size of everything at a path, and finds the time of the last write to it. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ifThere } from "../files/network-files.ts";

export interface DiskUsage {
  /** Bytes in files. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** Null if nothing is there. It does not follow links. */
export function diskUsageOf(path: string): DiskUsage | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isDirectory()) return { size: stats.size, modified: stats.mtimeMs };
  let [size, modified] = [0, stats.mtimeMs];
  for (const name of ifThere(() => readdirSync(path)) ?? []) {
    const part = diskUsageOf(join(path, name));
    size += part?.size ?? 0;
    modified = Math.max(modified, part?.modified ?? 0);
  }
  return { size, modified };
}
