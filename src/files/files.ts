/**
 * What one build sees of the files: each is looked at once, and hashed only when its stat signature is not
 * the one that its digest was remembered with.
 *
 * A remembered digest is safe because an edit changes ctime, which no user can set, unless it falls into the
 * same tick of the file system's clock as the moment of hashing. A file that young ("racily clean") is not
 * remembered beyond this build, so the next one hashes it again.
 */
import { Disk } from "./disk.ts";
import { UserError } from "../model/errors.ts";
import { isRacy, sameSignature, type Signature } from "./signature.ts";
import { isLinked, signatureAt } from "./file-signature.ts";
import { hashMany, isMuch, type HashOptions, type ManyFile } from "./hash-many.ts";
import { hashNow, type Hashed } from "./hash.ts";
import { absolute } from "../model/paths.ts";

/** Digests that outlive a build; `State` is one. */
export interface FileMemo {
  /** The digest remembered for a path with exactly this signature. */
  digestOf(path: string, signature: Signature): string | undefined;
  rememberFile(path: string, digest: string, signature: Signature): void;
}

export interface Seen {
  readonly signature: Signature | null;
  digest: string | undefined;
  /** Hashed so shortly after a change that another one could look the same. */
  racy: boolean;
}

/** Files that somebody has looked at for this build already. */
export interface Swept {
  get(path: string): Seen | undefined;
  /** What it has of a file counts no more. */
  delete(path: string): void;
}

export class FileDigests {
  readonly disk: Disk;
  readonly #root: string;
  readonly #memo: FileMemo;
  readonly #swept: Swept;
  readonly #seen = new Map<string, Seen>();
  #steady = true;

  constructor(root: string, memo: FileMemo, disk = new Disk(), swept: Swept = new Map()) {
    this.disk = disk;
    this.#swept = swept;
    this.#root = root;
    this.#memo = memo;
  }

  /** Each path that was looked at, with what stood there; without those swept before. */
  seen(): Iterable<readonly [path: string, seen: Readonly<Seen>]> {
    return this.#seen;
  }

  /** Whether no file had to be looked at again that somebody had changed. */
  get steady(): boolean {
    return this.#steady;
  }

  /** Digest of a file's content, following symbolic links; null if there is none. Throws UserError if it cannot be read. */
  digest(path: string): string | null {
    const seen = this.#look(path);
    const known = seen.digest;
    if (known !== undefined) return known;
    if (seen.signature === null) return null;
    return (seen.digest = this.#memo.digestOf(path, seen.signature) ?? this.#hash(path));
  }

  /** Stat signature of a file as this build first saw it; null if there is none. */
  signature(path: string): Signature | null {
    return this.#look(path).signature;
  }

  /**
   * Hashes what nobody remembers of these files on all cores, when that is much; what is little, or cannot be read,
   * is left to `digest`.
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
   * Takes over the digest of a file that lq itself just put in place, and gives the signature it has there.
   * Not taken for racy although its ctime is now: see `Recorder.settle`.
   */
  learn(path: string, digest: string): Signature {
    const signature = signatureAt(this.#root, path);
    if (signature === null) throw new UserError(`${path} vanished while lq was writing it`);
    this.#seen.set(path, { signature, digest, racy: false });
    return signature;
  }

  /** Look at the disk again the next time that one of these is asked for. */
  forget(paths: Iterable<string>): void {
    this.#steady = false;
    this.lose(paths);
  }

  /** The same of files that lq itself has taken away. */
  lose(paths: Iterable<string>): void {
    for (const path of paths) {
      this.#seen.delete(path);
      this.#swept.delete(path);
    }
  }

  /** Whether a file is, at this moment, what this build has seen of it. */
  isUnchanged(path: string): boolean {
    const seen = this.#known(path);
    if (seen === undefined) return true;
    const now = signatureAt(this.#root, path);
    const before = seen.signature;
    if (now === null || before === null) return now === before;
    if (sameSignature(now, before)) return !seen.racy || this.#hash(path) === seen.digest;
    // An output that is one file with the cache has new times when its content becomes that of one more output.
    const maySeemEdited = now.size === before.size && now.ino === before.ino && isLinked(this.#root, path);
    return maySeemEdited && this.#hash(path) === seen.digest;
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

  #keep(path: string, { digest, signature, since }: Hashed): void {
    const racy = isRacy(signature, since);
    this.#seen.set(path, { signature, digest, racy });
    if (!racy) this.#memo.rememberFile(path, digest, signature);
  }
}
