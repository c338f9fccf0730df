/** Writes a file at a path that the user names. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { linkStats } from "../files/link-stats.ts";
import { UserError } from "../model/errors.ts";

/** The part of a file that has the mark. */
const HEAD = 1024;

/**
 * Refuses a path at which lq must not write: something is there, and lq did not write it.
 *
 * @param shown the path as the user typed it
 * @param mark a text near the beginning of each file of this kind that lq writes
 * @throws UserError
 */
export function refuseForeignFile(file: string, shown: string, mark: string): void {
  const there = linkStats(file);
  if (there === undefined || (there.isFile() && headOf(file).includes(mark))) return;
  throw new UserError({
    message: `${shown} is there, and lq did not write it`,
    hint: "choose another name, or move it away",
  });
}

/** Replaces the file, either completely or not at all. */
export function writeOwnFile(file: string, content: string): void {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeFileSync(temporary, content, { flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function headOf(file: string): string {
  const handle = openSync(file, "r");
  try {
    const head = Buffer.alloc(HEAD);
    return head.toString("utf8", 0, readSync(handle, head, 0, HEAD, 0));
  } finally {
    closeSync(handle);
  }
}
