/** Tells whether a task has saved anything new in its scratch folder. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ifThere } from "../files/network-files.ts";

/** A text that differs when a file in the folder came, went or changed. */
export function scratchStamp(folder: string | null): string {
  if (folder === null) return "";
  const names = ifThere(() => readdirSync(folder, { recursive: true, encoding: "utf8" })) ?? [];
  return names
    .sort()
    .map((name) => {
      const stats = statSync(join(folder, name), { throwIfNoEntry: false });
      return stats === undefined || stats.isDirectory() ? name : `${name} ${stats.size} ${stats.mtimeMs}`;
    })
    .join("\n");
}
