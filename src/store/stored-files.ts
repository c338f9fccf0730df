/**
 * Files in a store's folder. lq writes each under a temporary name and renames it, so the file is complete or not there.
 * lq removes a damaged file and reports it.
 */
import { randomBytes } from "node:crypto";
import { rmSync, statSync, utimesSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../model/errors.ts";
import { isGone, rename } from "../files/network-files.ts";
import { makeStoreFolder } from "./store-folder.ts";

/** Identifies this process among all that write to the store. */
const WRITER = randomBytes(8).toString("hex");
let writings = 0;

export class StoredFiles {
  readonly #folder: string;
  readonly #notice: (text: string) => void;
  readonly #made = new Set<string>();

  /**
   * @param folder of the store, absolute; callers name files by absolute paths as well
   * @param notice receives a sentence about each damage
   */
  constructor(folder: string, notice: (text: string) => void) {
    this.#folder = folder;
    this.#notice = notice;
  }

  /** The file at a place of the store. Anything there that is not a file counts as damage. */
  find(file: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(file, { throwIfNoEntry: false });
      if (stats === undefined || stats.isFile()) return stats;
    } catch (error) {
      if (isGone(error)) return undefined;
      if (errorCode(error) !== "ELOOP") throw error;
    }
    this.discard(file, `${file} is not a file`);
    return undefined;
  }

  /** @param fill makes the file under its temporary name */
  async write(file: string, fill: (temporary: string) => void | Promise<void>): Promise<void> {
    const folder = dirname(file);
    if (!this.#made.has(folder)) makeStoreFolder(this.#folder, folder);
    this.#made.add(folder);
    const temporary = `${file}.${WRITER}-${writings++}`;
    try {
      await fill(temporary);
      rename(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Sets its time of modification to now. @returns false if that is not allowed: only the owner may */
  touch(file: string): boolean {
    try {
      const now = new Date();
      utimesSync(file, now, now);
      return true;
    } catch {
      return false;
    }
  }

  /** @param what describes the damage, as the beginning of a sentence */
  discard(file: string, what: string): void {
    try {
      rmSync(file, { recursive: true, force: true });
      this.#notice(`${what}; it was removed, and what needs it is built again`);
    } catch {
      this.#notice(`${what}, and cannot be removed; what needs it is built again`);
    }
  }
}
