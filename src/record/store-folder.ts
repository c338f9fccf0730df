/** Folders of a store that several users may share. */
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../errors.ts";

/**
 * Makes a folder of a store, where there is none, with the permissions of the store's own: what one user makes is to
 * be as open to the others as the store itself, whatever the umask says.
 * @param store absolute; made as any folder is
 * @param folder absolute; below the store, or the store itself
 */
export function makeStoreFolder(store: string, folder: string): void {
  if (folder === store) return void mkdirSync(store, { recursive: true });
  try {
    mkdirSync(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return;
    if (code !== "ENOENT") throw error;
    makeStoreFolder(store, dirname(folder));
    return makeStoreFolder(store, folder);
  }
  chmodSync(folder, statSync(store).mode & 0o7777);
}
