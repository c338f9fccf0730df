/**
 * File operations that also work where a folder is on a file server.
 *
 * When the answer to a request is lost, the client sends the request again and reports the result of the second one:
 * the name is taken, or the file is gone. When another machine removes or replaces an open file, nobody can read it any
 * more. When a program on this machine has a removed file open, the file stays as `.nfsXXXX`, and nobody can remove its
 * folder.
 */
import { linkSync, lstatSync, renameSync, symlinkSync, type Stats } from "node:fs";
import { errorCode } from "../model/errors.ts";

/** How often lq tries to read a file that another machine keeps replacing. */
const ATTEMPTS = 5;

/**
 * Like `renameSync`.
 * @param from a name that nobody else uses; if it is gone, this rename has succeeded
 * @param before the stats of `to` before, if there was a file; after the rename, another file must be there
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

/** Like `linkSync`, with a new name that nobody else uses. */
export function link(from: string, to: string): void {
  unlessTaken(() => linkSync(from, to));
}

/** Like `symlinkSync`, with a new name that nobody else uses. */
export function symlink(target: string, file: string): void {
  unlessTaken(() => symlinkSync(target, file));
}

/** The result of `read`; null if it finds no file. */
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

/** Whether this is the name of a removed file that a program still has open. */
export function isRemovedName(name: string): boolean {
  return /^\.nfs[0-9A-Fa-f.]{4,}$/.test(name);
}

/** Whether an error says that there is no such file, or that it was removed. */
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
