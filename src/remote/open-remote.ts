/** Opens the remote cache of a project, if it has one. Nothing of a remote is loaded before, and nothing is sent yet. */
import type { CacheSettings } from "../model/model.ts";
import type { Store } from "../store/store.ts";
import type { Place } from "./place.ts";
import type { Remote } from "./remote.ts";
import { remoteSettings } from "./settings.ts";

export interface OpenOptions {
  /** Receives the cause, once, when the remote is given up. */
  readonly onTrouble: (remote: string, cause: string) => void;
}

/** @throws UserError if an environment variable is wrong */
export async function openRemote(
  cache: CacheSettings,
  store: Store,
  { onTrouble }: OpenOptions,
): Promise<Remote | null> {
  const settings = remoteSettings(cache);
  if (settings === null) return null;
  const place = await placeOf(settings.url);
  const [{ Remote }, { BlobServer }] = await Promise.all([import("./remote.ts"), import("./blob-server.ts")]);
  return new Remote(new BlobServer(place), store, {
    push: settings.push,
    onTrouble: (cause) => onTrouble(place.name, cause),
  });
}

async function placeOf(url: URL): Promise<Place> {
  return url.protocol === "s3:"
    ? (await import("./s3-place.ts")).s3Place(url, process.env)
    : (await import("./http-place.ts")).httpPlace(url, process.env);
}
