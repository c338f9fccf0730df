/** Removes files and folders that lq or its tasks made. */
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../model/errors.ts";

/**
 * Removes a file, or a folder with everything in it, if it is there. Also removes folders that a task made read-only.
 * @param path without a "/" at its end
 */
export function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EACCES" && code !== "EPERM") throw error;
    openFolders(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Like `remove`, but does not fail if a program still has a file there open. A file server then keeps the file and its
 * folder until the program ends.
 * @returns whether everything is gone
 */
export function discard(path: string): boolean {
  try {
    remove(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EBUSY" || code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

function openFolders(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) openFolders(join(path, name));
}
