/**
 * What one build sees of the files: each is looked at once, and hashed only when its stat signature is not
 * the one that its digest was remembered with.
 *
 * A remembered digest is safe because an edit changes ctime, which no user can set, unless it falls into the
 * same tick of the file system's clock as the moment of hashing. A file that young ("racily clean") is not
 * remembered beyond this build, so the next one hashes it again.
 */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { Disk } from "../disk.ts";
import { UserError } from "../errors.ts";
import { isRacy, sameSignature, signatureOf, type Signature } from "../signature.ts";
import { sha256 } from "./digest.ts";
import { absolute } from "./paths.ts";

/** Digests that outlive a build; `State` is one. */
export interface FileMemo {
  /** The digest remembered for a path with exactly this signature. */
  digestOf(path: string, signature: Signature): string | undefined;
  rememberFile(path: string, digest: string, signature: Signature): void;
}

interface Seen {
  readonly signature: Signature | null;
  digest: string | undefined;
  /** Hashed so shortly after a change that another one could look the same. */
  racy: boolean;
}

const CHUNK = 1 << 20;
/** Above this, `prefetch` hashes beside the event loop rather than in it. */
const LARGE = 8 << 20;
/** Up to here `readFile` gives the content. */
const SMALL = 1 << 16;
const STREAMS = 4;

export class FileDigests {
  readonly disk: Disk;
  readonly #root: string;
  readonly #memo: FileMemo;
  readonly #seen = new Map<string, Seen>();
  #steady = true;

  constructor(root: string, memo: FileMemo, disk = new Disk()) {
    this.disk = disk;
    this.#root = root;
    this.#memo = memo;
  }

  /** Each path that was looked at, with what stood there. */
  *seen(): Generator<readonly [string, Signature | null]> {
    for (const [path, { signature }] of this.#seen) yield [path, signature];
  }

  /** Whether every file has been looked at once only. */
  get steady(): boolean {
    return this.#steady;
  }

  /** Digest of a file's content, following symbolic links; null if there is none. Throws UserError if it cannot be read. */
  digest(path: string): string | null {
    const seen = this.#look(path);
    if (seen.signature === null) return null;
    seen.digest ??= this.#memo.digestOf(path, seen.signature) ?? this.#hash(path);
    return seen.digest;
  }

  /** Stat signature of a file as this build first saw it; null if there is none. */
  signature(path: string): Signature | null {
    return this.#look(path).signature;
  }

  /** Hashes large files that nobody remembers, several at a time, so that `digest` need not block for them. */
  async prefetch(paths: Iterable<string>): Promise<void> {
    const waiting: string[] = [];
    for (const path of new Set(paths)) {
      const { signature, digest } = this.#look(path);
      if (signature === null || signature.size <= LARGE || digest !== undefined) continue;
      if (this.#memo.digestOf(path, signature) === undefined) waiting.push(path);
    }
    const lane = async (): Promise<void> => {
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        const started = Date.now();
        const before = signatureAt(this.#root, path);
        const digest = await hashStream(absolute(this.#root, path), path);
        if (before !== null && sameSignature(before, signatureAt(this.#root, path)))
          this.#keep(path, before, digest, started);
      }
    };
    await Promise.all(Array.from({ length: STREAMS }, lane));
  }

  /**
   * Takes over the digest of a file that lq itself just put in place, and gives the signature it has there.
   * Not taken for racy although its ctime is now: see `Recorder.settle`.
   */
  learn(path: string, digest: string): Signature {
    const signature = signatureAt(this.#root, path);
    if (signature === null) throw new UserError(`${path} vanished while lq was writing it`);
    this.#seen.set(path, { signature, digest, racy: false });
    this.#steady = false;
    return signature;
  }

  /** Look at the disk again the next time that one of these is asked for. */
  forget(paths: Iterable<string>): void {
    this.#steady = false;
    for (const path of paths) this.#seen.delete(path);
  }

  /** Whether a file is, at this moment, what this build has seen of it. */
  isUnchanged(path: string): boolean {
    const seen = this.#seen.get(path);
    if (seen === undefined) return true;
    const now = signatureAt(this.#root, path);
    if (now === null || seen.signature === null) return now === seen.signature;
    if (!sameSignature(now, seen.signature)) return false;
    return !seen.racy || this.#hash(path) === seen.digest;
  }

  #look(path: string): Seen {
    let seen = this.#seen.get(path);
    if (seen === undefined) {
      seen = { signature: signatureAt(this.#root, path), digest: undefined, racy: false };
      this.#seen.set(path, seen);
    }
    return seen;
  }

  #hash(path: string): string {
    const location = absolute(this.#root, path);
    const started = Date.now();
    const { digest, signature } = hashNow(location, path);
    this.#keep(path, signature, digest, started);
    return digest;
  }

  #keep(path: string, signature: Signature, digest: string, hashedAt: number): void {
    const racy = isRacy(signature, hashedAt);
    this.#seen.set(path, { signature, digest, racy });
    if (!racy) this.#memo.rememberFile(path, digest, signature);
  }
}

/** Digest of any file, without looking into memory or remembering; a large one is read beside the event loop. */
export async function hashFile(location: string): Promise<string> {
  const { size } = statSync(location);
  return size <= LARGE ? hashNow(location, location).digest : hashStream(location, location);
}

export interface FileContent {
  readonly digest: string;
  readonly executable: boolean;
  /** Null: not small. */
  readonly content: Buffer | null;
}

/** As `hashFile`, with what it takes to store the file. */
export async function readFile(location: string): Promise<FileContent> {
  const { size, mode } = statSync(location);
  const executable = (mode & 0o100) !== 0;
  if (size > LARGE) return { digest: await hashStream(location, location), executable, content: null };
  const { digest, signature } = hashNow(location, location);
  // The buffer still holds what was hashed, and is used for the next file.
  const content = signature.size <= SMALL ? Buffer.from(chunk().subarray(0, signature.size)) : null;
  return { digest, executable, content };
}

/** Stat signature of a file as it is now; null if there is none. Throws UserError if it is not a file. */
export function signatureAt(root: string, path: string): Signature | null {
  try {
    const stats = statSync(absolute(root, path), { throwIfNoEntry: false });
    return stats === undefined ? null : fileSignature(stats, path);
  } catch (error) {
    // A folder of the path is a file: there is nothing at the path.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return null;
    throw readable(error, path);
  }
}

function fileSignature(stats: Stats, path: string): Signature {
  if (stats.isDirectory())
    throw new UserError({
      message: `${path} is a directory where a file is expected`,
      hint: `write it with a trailing "/" if the directory is meant`,
    });
  if (!stats.isFile())
    throw new UserError(`${path} is neither a file nor a directory, and cannot be read as one`);
  return signatureOf(stats);
}

let buffer: Buffer | undefined;

function chunk(): Buffer {
  return (buffer ??= Buffer.allocUnsafe(CHUNK));
}

/** Hashes a file that keeps still meanwhile; one that is being written is tried again a few times. */
function hashNow(location: string, path: string): { digest: string; signature: Signature } {
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      const file = openSync(location, "r");
      try {
        const before = fileSignature(fstatSync(file), path);
        const digest = hashOpen(file, chunk());
        if (sameSignature(before, fileSignature(fstatSync(file), path))) return { digest, signature: before };
      } finally {
        closeSync(file);
      }
    }
  } catch (error) {
    throw readable(error, path);
  }
  throw new UserError({
    message: `${path} is being written: it changed each time that lq read it`,
    hint: "build again when the program that writes it has finished",
  });
}

function hashOpen(file: number, into: Buffer): string {
  const first = readSync(file, into, 0, CHUNK, null);
  if (first < CHUNK) {
    // A short read is the end of a regular file, except that signals may cut one: the next read then tells.
    const rest = readSync(file, into, first, CHUNK - first, null);
    if (rest === 0) return sha256(into.subarray(0, first));
    return hashRest(file, into, first + rest);
  }
  return hashRest(file, into, first);
}

function hashRest(file: number, into: Buffer, filled: number): string {
  const hash = createHash("sha256");
  for (let length = filled; length > 0; length = readSync(file, into, 0, CHUNK, null))
    hash.update(into.subarray(0, length));
  return hash.digest("hex");
}

async function hashStream(location: string, path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(location, { highWaterMark: CHUNK }))
      hash.update(chunk as Buffer);
  } catch (error) {
    throw readable(error, path);
  }
  return hash.digest("hex");
}

function readable(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ELOOP") return new UserError(`${path} is a loop of symbolic links`);
  if (code === "EACCES" || code === "EPERM")
    return new UserError({
      message: `${path} cannot be read: permission denied`,
      hint: "check the permissions of the file and of the folders above it",
    });
  if (code === "EIO") return new UserError(`${path} cannot be read: the disk reports an error`);
  if (code === "ENAMETOOLONG") return new UserError(`${path} cannot be read: the name is too long`);
  return error;
}
