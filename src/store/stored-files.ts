/**
 * Reads and writes the files in a store's folder. It writes each file under a temporary name and renames it, so that a
 * file is complete or not there. It removes a damaged file and reports it.
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
  readonly #keepsDamaged: boolean;
  readonly #made = new Set<string>();

  /**
   * @param folder absolute path of the store; callers also name files by absolute paths
   * @param notice gets a sentence about each damaged file
   * @param keepsDamaged leave damaged files where they are; they count as absent all the same
   */
  constructor(folder: string, notice: (text: string) => void, keepsDamaged = false) {
    this.#keepsDamaged = keepsDamaged;
    this.#folder = folder;
    this.#notice = notice;
  }

  /** Finds a file of the store. Anything at its path that is not a file counts as damage. */
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

  /**
   * Sets the file's time of modification to now. @returns false if the user is not the owner, and so may not do this
   */
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
    if (this.#keepsDamaged) return;
    try {
      rmSync(file, { recursive: true, force: true });
      this.#notice(`${what}; it was removed, and what needs it is built again`);
    } catch {
      this.#notice(`${what}, and cannot be removed; what needs it is built again`);
    }
  }
}
