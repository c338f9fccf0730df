/**
 * Garbage collection: which actions and objects of a store may go. A pure choice; what it says is then removed.
 *
 * What some project's outputs were made under is never dropped, whatever the limits, and neither is what is younger
 * than an hour: a build beside may be about to need it. A build that finds an action gone that it wanted to restore
 * runs the task, so that nothing worse than work can come of a collection.
 */
import { rmSync } from "node:fs";
import { actionsIn, digestsOf, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Limits {
  /** Days since an action was last of use. */
  readonly keepDays?: number | undefined;
  /** Bytes that the store may have in all; what is needed counts, but stays. */
  readonly keepSize?: number | undefined;
}

export interface Collection {
  readonly actions: readonly StoredFile[];
  readonly objects: readonly StoredFile[];
  /** Bytes that are, or would be, freed. */
  readonly freed: number;
  /** Bytes that stay, and of those what outputs in place need. */
  readonly kept: number;
  readonly needed: number;
}

const HOUR = 3_600_000;

/** @param needed keys that must stay */
export function chooseGarbage(
  folder: string,
  needed: ReadonlySet<string>,
  { keepDays, keepSize }: Limits,
  now: number = Date.now(),
): Collection {
  const objects = new Map<string, StoredFile>();
  const dropped: StoredFile[] = [];
  const isYoung = ({ modified }: StoredFile) => modified > now - HOUR;
  for (const object of objectsIn(folder)) {
    if (object.name !== null) objects.set(object.name, object);
    else if (!isYoung(object)) dropped.push(object);
  }
  const kept = new Set<string>();
  let [size, neededSize] = [0, 0];
  const keep = (digests: readonly string[]): number => {
    let added = 0;
    for (const digest of digests) {
      if (kept.has(digest)) continue;
      kept.add(digest);
      added += objects.get(digest)?.size ?? 0;
    }
    size += added;
    return added;
  };

  const actions: StoredFile[] = [];
  const candidates: { readonly stored: StoredFile; readonly digests: readonly string[] }[] = [];
  for (const stored of actionsIn(folder)) {
    const action = readAction(stored);
    if (stored.name !== null && action !== null && needed.has(stored.name)) neededSize += keep(digestsOf(action));
    else if (isYoung(stored)) keep(action === null ? [] : digestsOf(action));
    else if (action === null) actions.push(stored);
    else candidates.push({ stored, digests: digestsOf(action) });
  }
  // The latest used first, as long as there is room.
  candidates.sort((a, b) => b.stored.modified - a.stored.modified);
  for (const { stored, digests } of candidates) {
    const more = digests.reduce((sum, digest) => sum + (kept.has(digest) ? 0 : (objects.get(digest)?.size ?? 0)), 0);
    const old = keepDays !== undefined && stored.modified < now - keepDays * 24 * HOUR;
    if (old || (keepSize !== undefined && size + more > keepSize)) actions.push(stored);
    else keep(digests);
  }
  for (const [digest, object] of objects) if (!kept.has(digest) && !isYoung(object)) dropped.push(object);
  const freed = [...actions, ...dropped].reduce((sum, file) => sum + file.size, 0);
  return { actions, objects: dropped, freed, kept: size, needed: neededSize };
}

/** Actions first, so that none is ever there that lacks objects because of this. */
export function removeGarbage({ actions, objects }: Collection): void {
  for (const { file } of [...actions, ...objects]) rmSync(file, { force: true });
}
