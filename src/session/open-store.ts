/** Opens the store of a project: in its own cache/, or in a folder that it may share with other projects. */
import { join, resolve } from "node:path";
import { neededBy, projectId, writeNeeded } from "../store/needed.ts";
import type { Pipeline } from "../model/model.ts";
import { STORE } from "../model/layout.ts";
import { Store } from "../store/store.ts";
import type { Session } from "./session.ts";

type Placed = Pick<Pipeline, "root" | "cache">;

export function openStore(pipeline: Placed, notice: (text: string) => void, keepsDamaged = false): Store {
  const { root, cache } = pipeline;
  // A project with its own store has no id: if somebody moves the project, its accepted actions move with the store.
  const project = hasOwnStore(pipeline) ? {} : { project: projectId(root) };
  return new Store(storeFolder(pipeline), { links: cache.links, notice, keepsDamaged, ...project });
}

/**
 * Absolute path of the store's folder. LQ_CACHE overrides pipeline.yaml, because the same project may be on machines
 * with different disks.
 */
export function storeFolder({ root, cache }: Placed): string {
  const named = process.env.LQ_CACHE;
  if (named !== undefined && named !== "") return resolve(root, named);
  return cache.folder ?? join(root, STORE);
}

/** Lists in a shared store the contents that this project's outputs need, so that no collection removes them. */
export function shareNeeds({ state }: Pick<Session, "state">, pipeline: Pipeline): void {
  const { root } = pipeline;
  if (!hasOwnStore(pipeline)) writeNeeded(storeFolder(pipeline), root, neededBy(root, state));
}

export function hasOwnStore(pipeline: Placed): boolean {
  return storeFolder(pipeline) === join(pipeline.root, STORE);
}
