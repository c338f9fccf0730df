/**
 * What one build sees of the files: each is looked at once, and hashed only when its stat signature is not
 * the one that its digest was remembered with.
 *
 * A remembered digest is safe because an edit changes ctime, which no user can set, unless it falls into the
 * same tick of the file system's clock as the moment of hashing. A file that young ("racily clean") is not
 * remembered beyond this build, so the next one hashes it again.
 */
import { Disk } from "../disk.ts";
import { UserError } from "../errors.ts";
import { inLanes } from "../lanes.ts";
import { isRacy, sameSignature, type Signature } from "../signature.ts";
import { signatureAt } from "./file-signature.ts";
import { hashBeside, THREADS } from "./hash-threads.ts";
import { hashNow, type Hashed } from "./hash.ts";
import { absolute } from "./paths.ts";

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

/** How far `prefetch` has come. */
export interface HashProgress {
  /** One that is being read. */
  readonly file: string;
  readonly bytes: number;
  readonly total: number;
  /** Since the first of them. */
  readonly seconds: number;
}

export interface PrefetchOptions {
  readonly progress?: (progress: HashProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes from which on threads are worth starting. */
const MUCH = 64 << 20;
/** Bytes that a thread is given at once, so that small files cost no more than they do here. */
const BATCH = 4 << 20;
/** Milliseconds between two tellings of progress. */
const TELL_MS = 200;

/** Files that somebody has looked at for this build already. */
export type Swept = Pick<Map<string, Seen>, "get" | "delete">;

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
    if (seen.signature === null) return null;
    seen.digest ??= this.#memo.digestOf(path, seen.signature) ?? this.#hash(path);
    return seen.digest;
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
  async prefetch(paths: Iterable<string>, { progress, signal }: PrefetchOptions = {}): Promise<void> {
    const unseen: Unread[] = [];
    for (const path of new Set(paths)) {
      const { signature, digest } = this.#look(path);
      if (signature !== null && digest === undefined) unseen.push({ path, signature });
    }
    if (sizeOf(unseen) < MUCH) return;
    const unknown = unseen.filter(
      ({ path, signature }) => this.#memo.digestOf(path, signature) === undefined,
    );
    const total = sizeOf(unknown);
    if (total < MUCH) return;
    const meter = new Meter(total, progress);
    await inLanes(batches(unknown), THREADS, async (batch) => {
      const files = batch.map(({ path }) => ({ path, location: absolute(this.#root, path) }));
      let told = 0;
      const tell = (path: string, bytes: number): void => {
        told += bytes;
        meter.add(path, bytes);
      };
      const ends = await hashBeside(files, { progress: tell, signal });
      for (const [i, { path }] of batch.entries()) {
        const end = ends[i];
        if (end !== undefined && !(end instanceof Error)) this.#keep(path, end);
      }
      meter.add(batch.at(-1)?.path ?? "", sizeOf(batch) - told);
    });
    meter.end();
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
    if (now === null || seen.signature === null) return now === seen.signature;
    if (!sameSignature(now, seen.signature)) return false;
    return !seen.racy || this.#hash(path) === seen.digest;
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

interface Unread {
  readonly path: string;
  readonly signature: Signature;
}

function sizeOf(files: readonly Unread[]): number {
  return files.reduce((sum, { signature }) => sum + signature.size, 0);
}

/** Large files first: the last to be begun should be short. */
function* batches(files: readonly Unread[]): Generator<readonly Unread[]> {
  let batch: Unread[] = [];
  let bytes = 0;
  for (const file of files.toSorted((a, b) => b.signature.size - a.signature.size)) {
    batch.push(file);
    bytes += file.signature.size;
    if (bytes < BATCH) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** Tells of progress now and then, and of the end if it told of anything before. */
class Meter {
  readonly #total: number;
  readonly #tell: (progress: HashProgress) => void;
  readonly #since = performance.now();
  #told = this.#since;
  #bytes = 0;
  #file = "";

  constructor(total: number, tell: (progress: HashProgress) => void = () => undefined) {
    this.#total = total;
    this.#tell = tell;
  }

  add(file: string, bytes: number): void {
    this.#bytes += bytes;
    this.#file = file;
    if (performance.now() - this.#told >= TELL_MS) this.#report();
  }

  end(): void {
    this.#bytes = this.#total;
    if (this.#told > this.#since) this.#report();
  }

  #report(): void {
    this.#told = performance.now();
    const seconds = (this.#told - this.#since) / 1000;
    this.#tell({ file: this.#file, bytes: this.#bytes, total: this.#total, seconds });
  }
}
