/**
 * Collects garbage: chooses which actions and objects of a store may be removed, and then removes them. The choice
 * itself changes nothing.
 *
 * The actions and objects of any project's outputs are never removed, even above the limits. While a build may be
 * running, nothing younger than an hour is dropped either, because the build may need it soon. A build that finds no
 * action to restore runs the task instead, so a collection can cost time but nothing else.
 */
import { lstatSync, rmSync } from "node:fs";
import { actionsIn, digestsOf, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Limits {
  /** Days since an action was last used. */
  readonly keepDays?: number | undefined;
  /** Bytes that the store may have in total. Content that is needed counts, but stays. */
  readonly keepSize?: number | undefined;
  /** Whether nobody else uses the store until the removal is done. */
  readonly alone?: boolean | undefined;
}

export interface Collection {
  readonly actions: readonly StoredFile[];
  readonly objects: readonly StoredFile[];
  /** Milliseconds since 1970. Neither list has anything that was used after this time. */
  readonly until: number;
  /** Bytes that the removal frees. */
  readonly freed: number;
  /** Bytes that stay; `needed` is the part of them that outputs in place need. */
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
  // Keep the actions that were used last, until the limit is reached.
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
 * Removes actions before objects, so that no action ever lacks an object. Keeps what was used since the choice.
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
