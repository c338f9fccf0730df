/** Where a project keeps its contents: its own cache/, or a folder that it may share with others. */
import { join, resolve } from "node:path";
import { neededBy, projectId, writeNeeded } from "../store/needed.ts";
import type { Pipeline } from "../model/model.ts";
import { STORE } from "../model/layout.ts";
import { Store } from "../store/store.ts";
import type { Session } from "./session.ts";

export function openStore(pipeline: Pipeline, notice: (text: string) => void): Store {
  const { root, cache } = pipeline;
  // A project may move with its own store, and what it accepted moves with it.
  const project = hasOwnStore(pipeline) ? {} : { project: projectId(root) };
  return new Store(storeFolder(pipeline), { links: cache.links, notice, ...project });
}

/** Absolute. The environment goes over pipeline.yaml: the same project may lie on machines with other disks. */
export function storeFolder({ root, cache }: Pipeline): string {
  const named = process.env.LQ_CACHE;
  if (named !== undefined && named !== "") return resolve(root, named);
  return cache.folder ?? join(root, STORE);
}

/** Tells those who share a store with this project what its outputs need of it. */
export function shareNeeds({ state }: Pick<Session, "state">, pipeline: Pipeline): void {
  const { root } = pipeline;
  if (!hasOwnStore(pipeline)) writeNeeded(storeFolder(pipeline), root, neededBy(root, state));
}

export function hasOwnStore(pipeline: Pipeline): boolean {
  return storeFolder(pipeline) === join(pipeline.root, STORE);
}
