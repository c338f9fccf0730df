/** Verification: every object is hashed, every action read; what is damaged is moved aside and counts as absent. */
import { existsSync, lstatSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { hashFile } from "../fingerprint/read-file.ts";
import { inLanes } from "../lanes.ts";
import type { Action } from "../record/action.ts";
import { isGone, rename } from "../network-files.ts";
import { QUARANTINE } from "../record/layout.ts";
import { makeStoreFolder } from "../record/store-folder.ts";
import { actionsIn, digestsOf, objectFile, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Verified {
  readonly objects: number;
  readonly actions: number;
  readonly bytes: number;
  /** What was moved to the quarantine, and where it lies now. */
  readonly damaged: readonly Damage[];
  /** Keys of actions that lack objects: what they stand for is built again when it is needed. */
  readonly incomplete: readonly string[];
}

export interface Damage {
  /** "stranger": neither an object nor an action, by its name. */
  readonly kind: "object" | "action" | "stranger";
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

/** Files that are hashed at once. */
const LANES = 8;

/** @param progress called with the share of bytes that is done */
export async function verifyStore(folder: string, progress: (fraction: number) => void): Promise<Verified> {
  const files = [...objectsIn(folder)];
  const objects = files.filter(({ name }) => name !== null);
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const damaged: Damage[] = [];
  const setAside = (kind: Damage["kind"], stored: StoredFile): void => {
    // Let go of by a build or a collection meanwhile.
    if (lstatSync(stored.file, { throwIfNoEntry: false }) === undefined) return;
    const name = stored.name ?? basename(stored.file);
    const quarantine = join(folder, QUARANTINE);
    makeStoreFolder(folder, quarantine);
    const file = join(quarantine, `${kind}-${name}`);
    rmSync(file, { recursive: true, force: true });
    try {
      rename(stored.file, file);
      damaged.push({ kind, name, file });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };

  let done = 0;
  await inLanes(objects, LANES, async (object) => {
    // What cannot be read is of no use to a build either.
    const digest = await hashFile(object.file).catch((error: unknown) => (isGone(error) ? object.name : null));
    if (digest !== object.name) setAside("object", object);
    done += object.size;
    progress(bytes === 0 ? 1 : done / bytes);
  });

  let actions = 0;
  const incomplete: string[] = [];
  for (const stored of actionsIn(folder)) {
    files.push(stored);
    if (stored.name === null) continue;
    actions += 1;
    const action = readOrNull(stored);
    if (action === null) setAside("action", stored);
    else if (!digestsOf(action).every((digest) => existsSync(objectFile(folder, digest))))
      incomplete.push(stored.name);
  }
  for (const file of files) if (file.name === null && !file.temporary) setAside("stranger", file);
  return { objects: objects.length, actions, bytes, damaged, incomplete };
}

function readOrNull(stored: StoredFile): Action | null {
  try {
    return readAction(stored);
  } catch {
    return null;
  }
}
