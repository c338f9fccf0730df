/** Makes the folders of a store that several users may share. */
import { chmodSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, UserError } from "../model/errors.ts";
import { makeFolder } from "../files/make-folder.ts";

/**
 * Makes the store's own folder if it does not exist, with the usual permissions.
 * @param store absolute
 * @throws UserError if it cannot be made
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
 * Makes a folder in a store if it does not exist, with the permissions of the store's own folder. So other users can
 * use what one user makes, with any umask.
 * @param store absolute path; made like any folder
 * @param folder absolute path below the store
 */
export function makeStoreFolder(store: string, folder: string): void {
  if (folder === store) return makeFolder(store);
  makeStoreFolder(store, dirname(folder));
  makeFolder(folder);
  openAs(store, folder);
}

/** Sets the permissions, also of a folder whose maker was killed before it did so. Only the owner can do this. */
function openAs(store: string, folder: string): void {
  const wanted = statSync(store).mode & 0o7777;
  const { mode, uid } = statSync(folder);
  if ((mode & wanted) !== wanted && uid === process.getuid?.()) chmodSync(folder, (mode & 0o7777) | wanted);
}

function noStore(store: string, why: string): UserError {
  return new UserError({
    message: `lq cannot make a cache in ${store} (${why})`,
    hint: "name another folder, by LQ_CACHE or by `cache: { folder: … }` in pipeline.yaml",
  });
}
