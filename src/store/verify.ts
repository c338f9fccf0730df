/**
 * Verifies a store: it hashes every object and reads every action. It moves damaged files aside, which then count as
 * absent. A file that it cannot read (it belongs to another user, or open files or memory run out) may be undamaged,
 * and stays.
 */
import { existsSync, lstatSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode, userErrorOf } from "../model/errors.ts";
import { hashFile } from "../files/read-file.ts";
import { inLanes } from "../system/lanes.ts";
import { isGone, rename } from "../files/network-files.ts";
import { QUARANTINE } from "../model/layout.ts";
import { makeStoreFolder } from "./store-folder.ts";
import { actionsIn, digestsOf, objectFile, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Verified {
  readonly objects: number;
  readonly actions: number;
  readonly bytes: number;
  /** Files that were moved to the quarantine, if this is allowed. */
  readonly damaged: readonly Damage[];
  readonly unreadable: readonly Unreadable[];
  /** Keys of actions that lack objects. lq builds their outputs again when they are needed. */
  readonly incomplete: readonly string[];
}

export interface Damage {
  /** "stranger": neither an object nor an action, by its name. */
  readonly kind: "object" | "action" | "stranger";
  readonly name: string;
  /** Its present absolute path. */
  readonly file: string;
}

export interface Unreadable {
  /** Absolute path. */
  readonly file: string;
  /** Why it cannot be read. */
  readonly message: string;
}

/** How many files to hash at the same time. */
const LANES = 8;

/** @param progress called with the fraction of bytes that is done */
export async function verifyStore(folder: string, progress: (fraction: number) => void): Promise<Verified> {
  const files = [...objectsIn(folder)];
  const objects = files.filter(({ name }) => name !== null);
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const damaged: Damage[] = [];
  const setAside = (kind: Damage["kind"], stored: StoredFile): void => {
    // A build or a collection has removed it meanwhile.
    if (lstatSync(stored.file, { throwIfNoEntry: false }) === undefined) return;
    const name = stored.name ?? basename(stored.file);
    const aside = join(folder, QUARANTINE, `${kind}-${name}`);
    try {
      makeStoreFolder(folder, dirname(aside));
      rmSync(aside, { recursive: true, force: true });
      rename(stored.file, aside);
      damaged.push({ kind, name, file: aside });
    } catch (error) {
      if (isGone(error)) return;
      if (userErrorOf(error) === undefined) throw error;
      damaged.push({ kind, name, file: stored.file });
    }
  };

  const unreadable: Unreadable[] = [];
  const check = async (
    kind: "object" | "action",
    stored: StoredFile,
    isWhole: () => Promise<boolean> | boolean,
  ) => {
    try {
      if (!lstatSync(stored.file).isFile() || !(await isWhole())) setAside(kind, stored);
    } catch (error) {
      if (isGone(error)) return;
      const told = userErrorOf(error);
      if (told === undefined) throw error;
      if (errorCode(told.cause ?? told) === "EIO") setAside(kind, stored);
      else unreadable.push({ file: stored.file, message: told.message });
    }
  };

  let done = 0;
  await inLanes(objects, LANES, async (object) => {
    await check("object", object, async () => (await hashFile(object.file)) === object.name);
    done += object.size;
    progress(bytes === 0 ? 1 : done / bytes);
  });

  let actions = 0;
  const incomplete: string[] = [];
  for (const stored of actionsIn(folder)) {
    files.push(stored);
    if (stored.name === null) continue;
    actions += 1;
    await check("action", stored, () => {
      const action = readAction(stored);
      if (action !== null && !digestsOf(action).every((digest) => existsSync(objectFile(folder, digest))))
        incomplete.push(stored.name ?? "");
      return action !== null;
    });
  }
  for (const file of files) if (file.name === null && !file.temporary) setAside("stranger", file);
  return { objects: objects.length, actions, bytes, damaged, unreadable, incomplete };
}
