/**
 * Files of a user in a folder that lq made, of the kinds that never count (src/files/ignore.ts): backups, swap files,
 * a .git. They stay where they are when lq replaces or removes the folder. Bytecode goes with the folder.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { FileDigests } from "../files/files.ts";
import { isBytecode } from "../files/ignore.ts";
import { linkStats } from "../files/link-stats.ts";
import { isRemovedName } from "../files/network-files.ts";
import { discard } from "../files/remove.ts";
import type { TreeEntry } from "../fingerprint/tree.ts";
import { absolute } from "../model/paths.ts";

/**
 * @param path of an output; only a directory can have strays
 * @param written what lq wrote there
 * @returns names relative to the folder
 */
export function straysIn(
  root: string,
  files: FileDigests,
  path: string,
  written: readonly TreeEntry[],
): readonly string[] {
  const place = absolute(root, path).replace(/\/$/, "");
  if (linkStats(place)?.isDirectory() !== true) return [];
  const folder = `${path.replace(/\/$/, "")}/`;
  const isOurs = (name: string): boolean =>
    written.some((entry) => entry.name === name && files.digest(folder + name) === entry.digest);
  const isStray = (name: string): boolean => files.disk.ignore.covers(folder, name) && !isOurs(name);
  return namesIn(place, "").filter(isStray);
}

/** Everything in a folder that is no folder. Follows no links. */
function namesIn(place: string, prefix: string): readonly string[] {
  return readdirSync(join(place, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = prefix + entry.name;
    if (entry.isDirectory()) return isBytecode(name) ? [] : namesIn(place, `${name}/`);
    return isRemovedName(entry.name) ? [] : [name];
  });
}

/**
 * Removes a folder but for these files, and the folders above them.
 * @param folder absolute, without "/" at its end
 * @param strays names relative to the folder
 */
export function removeAround(folder: string, strays: readonly string[]): void {
  for (const name of readdirSync(folder)) {
    const inside = strays.flatMap((stray) =>
      stray.startsWith(`${name}/`) ? stray.slice(name.length + 1) : [],
    );
    if (inside.length > 0) removeAround(join(folder, name), inside);
    else if (!strays.includes(name)) discard(join(folder, name));
  }
  // Without strays it is empty, unless a program on a file server has a file of it open.
  if (strays.length === 0) rmdirSync(folder);
}

/** Whether one of two names, of a stray and of a new file, needs the place of the other. */
export function areInTheWay(stray: string, name: string): boolean {
  return stray === name || stray.startsWith(`${name}/`) || name.startsWith(`${stray}/`);
}
