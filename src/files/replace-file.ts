/** Replaces a file's content, whole or not at all. */
import { closeSync, constants, openSync, rmSync, writeFileSync } from "node:fs";
import { rename } from "./network-files.ts";

/** O_NOFOLLOW: never write through a link that somebody put there. Not O_EXCL: see src/files/network-files.ts. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * For a file with one writer at a time. The next writer replaces what a killed one left. On a full disk the temporary
 * file is removed.
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
