/** Finds the trained folds of an nnU-Net model folder. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface FoldFile {
  /** "0" … "4", or "all". */
  readonly fold: string;
  /** Path of its checkpoint. */
  readonly path: string;
}

/**
 * The folds that have one of the checkpoints `names`, sorted by number. The first name that exists is taken; a name
 * that starts with "*" is a suffix. Throws an Error if no fold has one.
 */
export async function findFolds(folder: string, names: readonly string[]): Promise<FoldFile[]> {
  const found: FoldFile[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    const fold = /^(?:fold_(\d+)|(all)|fold_(all))$/.exec(entry);
    if (!fold) continue;
    const path = await findCheckpoint(join(folder, entry), names);
    if (path) found.push({ fold: fold[1] ?? "all", path });
  }
  if (found.length === 0) {
    throw new Error(`${folder}: no trained network: there is no fold_0/${names.join(" or fold_0/")}`);
  }
  return found;
}

async function findCheckpoint(folder: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    if (!name.startsWith("*")) {
      if (existsSync(join(folder, name))) return join(folder, name);
      continue;
    }
    const [match] = (await readdir(folder)).filter((file) => file.endsWith(name.slice(1))).sort();
    if (match) return join(folder, match);
  }
  return null;
}
