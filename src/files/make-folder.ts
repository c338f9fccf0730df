/**
 * Makes a folder and those above it. Does not use Node's `recursive` option: on a read-only file system it reports an
 * existing folder as absent, and in /proc it never ends.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../model/errors.ts";

/** Throws the system's error. Accepts whatever is there already; if it is not a folder, its user gets the error. */
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
