/**
 * Makes a folder, and those above it, where there are none. Not Node's own way, by `recursive`: on a read-only file
 * system that says of a folder which is there that it is not, and in /proc it never ends.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../model/errors.ts";

/** Throws what the system says. What is there already, even if it is no folder, is left to who uses it. */
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
