/**
 * Files in a store's folder: each is written under a temporary name and renamed, so that it is there whole or not at
 * all. What turns out damaged is removed; the notice says so.
 */
import { randomBytes } from "node:crypto";
import { rmSync, statSync, utimesSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../model/errors.ts";
import { isGone, rename } from "../files/network-files.ts";
import { makeStoreFolder } from "./store-folder.ts";

/** This process among all that write to the store. */
const WRITER = randomBytes(8).toString("hex");
let writings = 0;

export class StoredFiles {
  readonly #folder: string;
  readonly #notice: (text: string) => void;
  readonly #made = new Set<string>();

  /**
   * @param folder of the store, absolute; the files that it is asked for are named by absolute paths as well
   * @param notice told, in a sentence, of damage
   */
  constructor(folder: string, notice: (text: string) => void) {
    this.#folder = folder;
    this.#notice = notice;
  }

  /** The file at a place of the store; whatever else is there is damage. */
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

  /** Makes it new, by its time of modification. @returns false where that is not allowed: only its owner may */
  touch(file: string): boolean {
    try {
      const now = new Date();
      utimesSync(file, now, now);
      return true;
    } catch {
      return false;
    }
  }

  /** @param what is wrong, in words that a sentence can begin with */
  discard(file: string, what: string): void {
    try {
      rmSync(file, { recursive: true, force: true });
      this.#notice(`${what}; it was removed, and what needs it is built again`);
    } catch {
      this.#notice(`${what}, and cannot be removed; what needs it is built again`);
    }
  }
}
