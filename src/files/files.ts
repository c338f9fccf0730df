/**
 * Knows the digests of files during one build. It looks at each file once, and hashes it only if its signature differs
 * from the one that was stored with its digest.
 *
 * A remembered digest is safe: an edit changes ctime, which no user can set. The exception is an edit in the same tick
 * of the file system's clock as the hashing. A digest of such a young file ("racily clean") is not remembered beyond
 * this build, so the next build hashes the file again.
 */
import { Disk } from "./disk.ts";
import { UserError } from "../model/errors.ts";
import { isRacy, sameSignature, type Signature } from "./signature.ts";
import { signatureAt } from "./file-signature.ts";
import { hashMany, isMuch, type HashOptions, type ManyFile } from "./hash-many.ts";
import { hashNow, type Hashed } from "./hash.ts";
import { isGone } from "./network-files.ts";
import { isLarge } from "./read-file.ts";
import { absolute } from "../model/paths.ts";

/** Keeps digests from one build to the next. `State` implements it. */
export interface FileMemo {
  /** The digest remembered for a path with exactly this signature. */
  digestOf(path: string, signature: Signature): string | undefined;
  rememberFile(path: string, digest: string, signature: Signature): void;
}

export interface Seen {
  readonly signature: Signature | null;
  digest: string | undefined;
  /** Whether it was hashed so soon after a change that another change could look the same. */
  racy: boolean;
}

/** Files that lq has looked at already for this build (src/snapshot). */
export interface Swept {
  get(path: string): Seen | undefined;
  /** Forgets a file. */
  delete(path: string): void;
}

export class FileDigests {
  readonly disk: Disk;
  readonly #root: string;
  readonly #memo: FileMemo;
  readonly #swept: Swept;
  readonly #seen = new Map<string, Seen>();
  #unchanged = true;

  constructor(root: string, memo: FileMemo, disk = new Disk(), swept: Swept = new Map()) {
    this.disk = disk;
    this.#swept = swept;
    this.#root = root;
    this.#memo = memo;
  }

  /** Each path that was looked at, with what was there. It leaves out those in `swept`. */
  seen(): Iterable<readonly [path: string, seen: Readonly<Seen>]> {
    return this.#seen;
  }

  /** False if a file changed during the build, so that lq had to look at it again. */
  get unchanged(): boolean {
    return this.#unchanged;
  }

  /** Digest of a file's content; follows links. Null if there is no file. @throws UserError if it cannot be read */
  digest(path: string): string | null {
    const seen = this.#look(path);
    const known = seen.digest;
    if (known !== undefined) return known;
    if (seen.signature === null) return null;
    return (seen.digest = this.#memo.digestOf(path, seen.signature) ?? this.#hash(path));
  }

  /** Signature of a file as this build first saw it; null if there is none. */
  signature(path: string): Signature | null {
    return this.#look(path).signature;
  }

  /**
   * Hashes, on all cores, the files whose digests are not known, if they are many bytes. It leaves the rest, and files
   * that cannot be read, to `digest`.
   * @throws the signal's reason when it aborts
   */
  async prefetch(paths: Iterable<string>, options?: HashOptions): Promise<void> {
    const looked = new Map<string, ManyFile>();
    for (const path of paths) {
      const { digest, signature } = this.#look(path);
      if (digest === undefined && signature !== null) looked.set(path, { path, signature });
    }
    const unseen = [...looked.values()];
    if (!isMuch(unseen)) return;
    const unknown = unseen.filter(
      ({ path, signature }) => this.#memo.digestOf(path, signature) === undefined,
    );
    if (isMuch(unknown))
      await hashMany(this.#root, unknown, (path, hashed) => this.#keep(path, hashed), options);
  }

  /**
   * Keeps the digest of a file that lq itself just put in place, and returns the file's signature. It does not count as
   * racy although its ctime is now: see `Recorder.settle`.
   */
  learn(path: string, digest: string): Signature {
    const signature = signatureAt(this.#root, path);
    if (signature === null) throw new UserError(`${path} vanished while lq was writing it`);
    this.#seen.set(path, { signature, digest, racy: false });
    return signature;
  }

  /** Forgets files that somebody changed. At the next question, lq looks at the disk again. */
  forget(paths: Iterable<string>): void {
    this.#unchanged = false;
    this.lose(paths);
  }

  /** Forgets files that lq itself has removed. */
  lose(paths: Iterable<string>): void {
    for (const path of paths) {
      this.#seen.delete(path);
      this.#swept.delete(path);
    }
  }

  /** Finds the files that have another content now. It reads only files whose signature changed. */
  async changed(files: Iterable<{ readonly path: string; readonly digest: string }>): Promise<string[]> {
    const changed: string[] = [];
    for (const { path, digest } of files) {
      const seen = this.#known(path);
      const now = signatureAt(this.#root, path);
      const isSeen = seen !== undefined && !seen.racy && sameSignature(now, seen.signature);
      const content = isSeen && seen.digest !== undefined ? seen.digest : await this.#hashAgain(path, now);
      if (content !== digest) changed.push(path);
    }
    return changed;
  }

  #look(path: string): Seen {
    let seen = this.#known(path);
    if (seen === undefined) {
      seen = { signature: signatureAt(this.#root, path), digest: undefined, racy: false };
      this.#seen.set(path, seen);
    }
    return seen;
  }

  #known(path: string): Seen | undefined {
    return this.#seen.get(path) ?? this.#swept.get(path);
  }

  #hash(path: string): string {
    const hashed = hashNow(absolute(this.#root, path), path);
    this.#keep(path, hashed);
    return hashed.digest;
  }

  /** Like `#hash`, but reads a large file in another thread. */
  async #hashAgain(path: string, signature: Signature | null): Promise<string | null> {
    if (signature === null) return null;
    let digest: string | undefined;
    if (isLarge(signature))
      await hashMany(this.#root, [{ path, signature }], (_, hashed) => {
        digest = hashed.digest;
        this.#keep(path, hashed);
      });
    try {
      return digest ?? this.#hash(path);
    } catch (error) {
      // Somebody has removed it since.
      if (isGone(error)) return null;
      throw error;
    }
  }

  #keep(path: string, { digest, signature, since }: Hashed): void {
    const racy = isRacy(signature, since);
    this.#seen.set(path, { signature, digest, racy });
    if (!racy) this.#memo.rememberFile(path, digest, signature);
  }
}
