/** Folders of a store that several users may share. */
import { chmodSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, UserError } from "../model/errors.ts";
import { makeFolder } from "../files/make-folder.ts";

/**
 * Makes a store's own folder, where there is none, as any folder is made.
 * @param store absolute
 * @throws UserError if there can be none
 */
export function makeStore(store: string): void {
  try {
    makeFolder(store);
  } catch (error) {
    throw noStore(store, errorCode(error) ?? String(error));
  }
  if (!statSync(store).isDirectory()) throw noStore(store, "ENOTDIR");
}

/**
 * Makes a folder of a store, where there is none, with the permissions of the store's own: what one user makes is to
 * be as open to the others as the store itself, whatever the umask says.
 * @param store absolute; made as any folder is
 * @param folder absolute; below the store
 */
export function makeStoreFolder(store: string, folder: string): void {
  if (folder === store) return makeFolder(store);
  makeStoreFolder(store, dirname(folder));
  makeFolder(folder);
  openAs(store, folder);
}

/** Also a folder whose maker was ended before it came to this; only its owner can. */
function openAs(store: string, folder: string): void {
  const wanted = statSync(store).mode & 0o7777;
  const { mode, uid } = statSync(folder);
  if ((mode & wanted) !== wanted && uid === process.getuid?.()) chmodSync(folder, (mode & 0o7777) | wanted);
}

function noStore(store: string, why: string): UserError {
  return new UserError({
    message: `there can be no cache in ${store} (${why})`,
    hint: "name another folder, by LQ_CACHE or by `cache: { folder: … }` in pipeline.yaml",
  });
}
