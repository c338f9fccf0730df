/**
 * Makes a folder and those above it. Does not use Node's `recursive` option: on a read-only file system it reports an
 * existing folder as absent, and in /proc it never ends.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../model/errors.ts";

/**
 * Accepts anything that is there already. If that is not a folder, the code that uses it gets the error.
 *
 * @throws the system's error
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return;
    const above = dirname(folder);
    if (code !== "ENOENT" || existsSync(above)) throw error;
    makeFolder(above);
    makeFolder(folder);
  }
}
