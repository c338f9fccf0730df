/** The trained folds of an nnU-Net model folder. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface FoldFile {
  /** "0" … "4", or "all". */
  readonly fold: string;
  /** Its checkpoint. */
  readonly path: string;
}

/**
 * Folds that have one of the checkpoints `names` (the first that exists; a name that starts with "*" is an
 * ending), by number: all of `folder`, or those in `wanted`. As nnU-Net does, `fold_all` counts only where there
 * is no other or it is asked for. Throws an Error where one is missing.
 */
export async function findFolds(
  folder: string,
  names: readonly string[],
  wanted?: readonly string[],
): Promise<FoldFile[]> {
  const found: FoldFile[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    const fold = /^(?:fold_(\d+)|(all)|fold_(all))$/.exec(entry);
    if (!fold) continue;
    const path = await findCheckpoint(join(folder, entry), names);
    if (path) found.push({ fold: fold[1] ?? "all", path });
  }
  const numbered = found.filter(({ fold }) => fold !== "all");
  const chosen = wanted
    ? wanted.map((fold) => {
        const file = found.find((f) => f.fold === fold);
        if (!file) throw new Error(`${folder}: fold ${fold} has no ${names.join(" or ")}`);
        return file;
      })
    : numbered.length > 0
      ? numbered
      : found;
  if (chosen.length === 0) throw new Error(`${folder}: no fold has a checkpoint (${names.join(" or ")})`);
  return chosen;
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
