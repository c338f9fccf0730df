/**
 * Garbage collection: which actions and objects of a store may go. A pure choice; what it says is then removed.
 *
 * The actions and objects of any project's outputs are never dropped, whatever the limits. While a build may be running,
 * nothing younger than an hour is dropped either, because the build may need it soon. A build that finds no action to
 * restore runs the task instead, so a collection can cost time but nothing else.
 */
import { lstatSync, rmSync } from "node:fs";
import { actionsIn, digestsOf, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Limits {
  /** Days since an action was last of use. */
  readonly keepDays?: number | undefined;
  /** Bytes that the store may have in all; what is needed counts, but stays. */
  readonly keepSize?: number | undefined;
  /** Whether nobody else uses the store, now and until all is removed. */
  readonly alone?: boolean | undefined;
}

export interface Collection {
  readonly actions: readonly StoredFile[];
  readonly objects: readonly StoredFile[];
  /** Milliseconds since 1970: what was of use later is in neither list. */
  readonly until: number;
  /** Bytes that are, or would be, freed. */
  readonly freed: number;
  /** Bytes that stay, and of those what outputs in place need. */
  readonly kept: number;
  readonly needed: number;
}

const HOUR = 3_600_000;

/** @param needed keys of actions, and digests of objects, that must stay */
export function chooseGarbage(
  folder: string,
  needed: ReadonlySet<string>,
  { keepDays, keepSize, alone = false }: Limits,
  now: number = Date.now(),
): Collection {
  const until = alone ? now : now - HOUR;
  const objects = new Map<string, StoredFile>();
  const dropped: StoredFile[] = [];
  const isYoung = ({ modified }: StoredFile) => modified > until;
  for (const object of objectsIn(folder)) {
    if (object.name !== null) objects.set(object.name, object);
    else if (!isYoung(object)) dropped.push(object);
  }
  const kept = new Set<string>();
  let size = 0;
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

  let neededSize = keep([...needed].filter((name) => objects.has(name)));
  const actions: StoredFile[] = [];
  const candidates: { readonly stored: StoredFile; readonly digests: readonly string[] }[] = [];
  for (const stored of actionsIn(folder)) {
    const action = readAction(stored);
    if (stored.name !== null && action !== null && needed.has(stored.name))
      neededSize += keep(digestsOf(action));
    else if (isYoung(stored)) keep(action === null ? [] : digestsOf(action));
    else if (action === null) actions.push(stored);
    else candidates.push({ stored, digests: digestsOf(action) });
  }
  // The latest used first, as long as there is room.
  candidates.sort((a, b) => b.stored.modified - a.stored.modified);
  for (const { stored, digests } of candidates) {
    const more = digests.reduce(
      (sum, digest) => sum + (kept.has(digest) ? 0 : (objects.get(digest)?.size ?? 0)),
      0,
    );
    const old = keepDays !== undefined && stored.modified < now - keepDays * 24 * HOUR;
    if (old || (keepSize !== undefined && size + more > keepSize)) actions.push(stored);
    else keep(digests);
  }
  for (const [digest, object] of objects) if (!kept.has(digest) && !isYoung(object)) dropped.push(object);
  const freed = sizeOf([...actions, ...dropped]);
  return { actions, objects: dropped, until, freed, kept: size, needed: neededSize };
}

/**
 * Actions first, so that none is ever there that lacks objects because of this. What was of use since the choice stays.
 * @returns what was removed
 */
export function removeGarbage({
  actions,
  objects,
  until,
}: Collection): Pick<Collection, "actions" | "objects" | "freed"> {
  const inUse = new Set<string>();
  const remove = ({ file }: StoredFile): boolean => {
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined || stats.mtimeMs > until) return false;
    rmSync(file, { recursive: true, force: true });
    return true;
  };
  const removed = actions.filter((stored) => {
    if (remove(stored)) return true;
    for (const digest of digestsOf(readAction(stored) ?? { outputs: [] })) inUse.add(digest);
    return false;
  });
  const dropped = objects.filter((stored) => !inUse.has(stored.name ?? "") && remove(stored));
  return { actions: removed, objects: dropped, freed: sizeOf([...removed, ...dropped]) };
}

function sizeOf(files: readonly StoredFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
