/**
 * What the engine asks the disk in order to find out what is to be done, and what it was told. Whoever keeps all
 * that was told can see later, without asking anything else, that a build would find the same (src/seal).
 *
 * A file's own signature is kept before its content is read and a folder's before it is listed: if it changes
 * meanwhile, what is kept is out of date and stands for nothing.
 */
import { readdirSync, readFileSync, statSync, type Dirent, type Stats } from "node:fs";
import { sameSignature, signatureOf, type Signature } from "./signature.ts";

export class Disk {
  /** When the first question can have been asked, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #told = new Map<string, Signature | null>();
  #steady = true;

  /** What is at a path or where it links to; undefined for nothing. Throws what the system says otherwise. */
  stat(path: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } finally {
      this.#keep(path, stats);
    }
    return stats;
  }

  /** As `stat`; undefined also where it cannot be asked (a file as a folder, no right). */
  find(path: string): Stats | undefined {
    try {
      return this.stat(path);
    } catch {
      return undefined;
    }
  }

  /** What tells one state of a path from another; null for nothing there. */
  signature(path: string): Signature | null {
    const stats = this.find(path);
    return stats === undefined ? null : signatureOf(stats);
  }

  /** Throws as Node does. */
  list(folder: string): Dirent[] {
    this.stat(folder);
    return readdirSync(folder, { withFileTypes: true });
  }

  /** Throws as Node does. */
  read(file: string): string {
    this.stat(file);
    return readFileSync(file, "utf8");
  }

  /** Each absolute path that was asked about, with what stood there. */
  told(): Iterable<readonly [string, Signature | null]> {
    return this.#told;
  }

  /** Whether nothing changed between two questions about it. */
  get steady(): boolean {
    return this.#steady;
  }

  #keep(path: string, stats: Stats | undefined): void {
    const signature = stats === undefined ? null : signatureOf(stats);
    const before = this.#told.get(path);
    if (before === undefined) this.#told.set(path, signature);
    else if (!sameSignature(before, signature)) this.#steady = false;
  }
}
