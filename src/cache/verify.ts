/** Verification: every object is hashed, every action read; what is damaged is moved aside and counts as absent. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { hashFile } from "../fingerprint/read-file.ts";
import { inLanes } from "../lanes.ts";
import { QUARANTINE } from "../record/layout.ts";
import { actionsIn, digestsOf, objectFile, objectsIn, readAction, type StoredFile } from "./contents.ts";

export interface Verified {
  readonly objects: number;
  readonly actions: number;
  readonly bytes: number;
  /** What was moved to the quarantine, by where it lay. */
  readonly damaged: readonly { readonly kind: "object" | "action"; readonly name: string; readonly file: string }[];
  /** Keys of actions that lack objects: what they stand for is built again when it is needed. */
  readonly incomplete: readonly string[];
}

/** Files that are hashed at once. */
const LANES = 8;

/** @param progress called with the share of bytes that is done */
export async function verifyStore(folder: string, progress: (fraction: number) => void): Promise<Verified> {
  const objects = [...objectsIn(folder)].filter(({ name }) => name !== null);
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const damaged: { kind: "object" | "action"; name: string; file: string }[] = [];
  const setAside = (kind: "object" | "action", { file, name }: StoredFile): void => {
    if (!existsSync(file)) return; // let go of by a build or a collection meanwhile
    mkdirSync(join(folder, QUARANTINE), { recursive: true });
    const aside = join(folder, QUARANTINE, `${kind}-${name}`);
    renameSync(file, aside);
    damaged.push({ kind, name: name ?? "", file: aside });
  };

  let done = 0;
  await inLanes(objects, LANES, async (object) => {
    const digest = await hashFile(object.file).catch(() => null);
    if (digest !== object.name) setAside("object", object);
    done += object.size;
    progress(bytes === 0 ? 1 : done / bytes);
  });

  let actions = 0;
  const incomplete: string[] = [];
  for (const stored of actionsIn(folder)) {
    if (stored.name === null) continue;
    actions += 1;
    const action = readAction(stored);
    if (action === null) setAside("action", stored);
    else if (!digestsOf(action).every((digest) => existsSync(objectFile(folder, digest))))
      incomplete.push(stored.name);
  }
  return { objects: objects.length, actions, bytes, damaged, incomplete };
}
