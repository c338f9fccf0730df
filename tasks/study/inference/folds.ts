/** Finds the trained folds of an nnU-Net model folder. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface FoldFile {
  /** "0" … "4", or "all". */
  readonly fold: string;
  /** Path of its checkpoint. */
  readonly path: string;
}

/** Which of the trained networks of a model folder to convert. */
export interface NetworkChoice {
  /** "final" (default), "best", "latest", or a file name. */
  readonly checkpoint?: string | undefined;
  /** Names of the folds to convert; default all. */
  readonly folds?: readonly string[] | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export interface FoldSearch {
  /** File names of the wanted checkpoint. The first one that exists is taken. */
  readonly names: readonly string[];
  /** The names that a checkpoint may have. */
  readonly pattern: RegExp;
  /** Takes a checkpoint with another name if it is the fold's only one. */
  readonly orOnly?: boolean;
  /** Names of the folds to take; default all. */
  readonly folds?: readonly string[] | undefined;
  /** Gets one line for each fold without the wanted checkpoint. */
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * The folds that have the wanted checkpoint, sorted by number. Throws an Error that names the checkpoints which are
 * there if no fold has it, or if `folds` names one that has not.
 */
export async function findFolds(folder: string, search: FoldSearch): Promise<FoldFile[]> {
  const found: FoldFile[] = [];
  const without: string[] = [];
  for (const entry of (await readdir(folder)).sort()) {
    const [, number, all] = /^(?:fold_(\d+)|(?:fold_)?(all))$/.exec(entry) ?? [];
    const fold = number ?? all;
    if (fold === undefined || (search.folds && !search.folds.includes(fold))) continue;
    const checkpoints = (await readdir(join(folder, entry)))
      .filter((name) => search.pattern.test(name) && !name.startsWith("."))
      .sort();
    const wanted =
      search.names.find((name) => checkpoints.includes(name)) ??
      (search.orOnly && checkpoints.length === 1 ? checkpoints[0] : undefined);
    if (wanted !== undefined) found.push({ fold, path: join(folder, entry, wanted) });
    else without.push(`${entry} has ${checkpoints.join(", ") || "no checkpoint"}`);
  }
  const missing = search.folds?.filter((name) => !found.some(({ fold }) => fold === name)) ?? [];
  if (found.length === 0 || missing.length > 0) {
    const there = without.length > 0 ? `: ${without.join("; ")}. Set checkpoint to one of them` : "";
    const where = missing.length > 0 ? missing.map((name) => `fold_${name}`).join(", ") : "fold_0";
    throw new Error(
      `${folder}: no trained network: there is no ${where}/${search.names.join(" or ")}${there}`,
    );
  }
  for (const line of without) search.log?.(`left out: ${line}, but not ${search.names.join(" or ")}`);
  return found.sort((a, b) => a.fold.localeCompare(b.fold, "en", { numeric: true }));
}
