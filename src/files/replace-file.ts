/** Replaces a file's content, either completely or not at all. */
import { closeSync, constants, openSync, rmSync, writeFileSync } from "node:fs";
import { rename } from "./network-files.ts";

/**
 * O_NOFOLLOW: never write through a link that somebody put there. For why not O_EXCL, see src/files/network-files.ts.
 */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Use this for a file with one writer at a time. The next writer replaces what a killed writer left. On a full disk,
 * this removes the temporary file.
 * @param content parts, written one after the other
 */
export function replaceFile(file: string, ...content: readonly (string | Uint8Array)[]): void {
  const temporary = `${file}.tmp`;
  rmSync(temporary, { force: true });
  try {
    const handle = openSync(temporary, FLAGS);
    try {
      for (const part of content) writeFileSync(handle, part);
    } finally {
      closeSync(handle);
    }
    rename(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
