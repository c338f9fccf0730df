/**
 * Files as they are to be handled where a folder may lie on a file server.
 *
 * A request whose answer was lost is sent again, and what is told then is what the second time found: the name is
 * taken, the file is gone. A file that another machine removes or replaces cannot be read on; one that is removed
 * while somebody has it open stays as `.nfsXXXX` in its folder, which then cannot be removed.
 */
import { linkSync, lstatSync, renameSync, symlinkSync, type Stats } from "node:fs";
import { errorCode } from "../model/errors.ts";

/** A file that another machine replaces all the time is read no more often than this. */
const ATTEMPTS = 5;

/**
 * As `renameSync`.
 * @param from a name that nobody else uses: if it went, that was this
 * @param before what was at `to`, where that counts: it must be something else now
 */
export function rename(from: string, to: string, before?: Stats): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || find(from) !== undefined) throw error;
    const now = find(to);
    if (now === undefined || now.ino === before?.ino) throw error;
  }
}

/** As `linkSync`, to a name that nobody else uses. */
export function link(from: string, to: string): void {
  unlessTaken(() => linkSync(from, to));
}

/** As `symlinkSync`, at a name that nobody else uses. */
export function symlink(target: string, file: string): void {
  unlessTaken(() => symlinkSync(target, file));
}

/** What is read of a file; null if there is none. */
export function ifThere<T>(read: () => T): T | null {
  for (let attempt = 1; ; attempt++) {
    try {
      return read();
    } catch (error) {
      if (isStale(error) && attempt < ATTEMPTS) continue;
      if (errorCode(error) === "ENOENT") return null;
      throw error;
    }
  }
}

/** Whether a name is that of a file which was removed while somebody had it open. */
export function isRemovedName(name: string): boolean {
  return /^\.nfs[0-9A-Fa-f.]{4,}$/.test(name);
}

/** Whether an error says that there is no such file, or none any more. */
export function isGone(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || isStale(error);
}

/** Whether an error says that another machine removed or replaced a file that is open here. */
export function isStale(error: unknown): boolean {
  return errorCode(error) === "ESTALE";
}

function unlessTaken(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

function find(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
