/** Puts a content in the place of a file, whole or not at all. */
import { renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * For a file that has one writer at a time. What a writer that was killed left is replaced by the next, and a disk
 * that is full keeps nothing of it.
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.tmp`;
  rmSync(temporary, { force: true });
  try {
    // Never through a link that somebody put there.
    writeFileSync(temporary, content, { flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
