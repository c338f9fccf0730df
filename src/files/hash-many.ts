/** Hashes many files on all cores, saying how far it is. */
import { inLanes } from "../system/lanes.ts";
import type { Signature } from "./signature.ts";
import { hashBeside, THREADS } from "./hash-threads.ts";
import type { Hashed } from "./hash.ts";
import { absolute } from "../model/paths.ts";

export interface ManyFile {
  readonly path: string;
  readonly signature: Signature;
}

/** How far the hashing has come. */
export interface HashProgress {
  /** One that is being read. */
  readonly file: string;
  readonly bytes: number;
  readonly total: number;
  /** Since the first of them. */
  readonly seconds: number;
}

export interface HashOptions {
  readonly progress?: (progress: HashProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes from which on threads are worth starting, and digests worth keeping. */
const MUCH = 64 << 20;
/** Bytes that a thread is given at once, so that small files cost no more than they would here. */
const BATCH = 4 << 20;
/** Milliseconds between two tellings of progress. */
const TELL_MS = 200;

export function isMuch(files: readonly ManyFile[]): boolean {
  return sizeOf(files) >= MUCH;
}

/**
 * @param keep given each file with what it has; not those that cannot be read
 * @throws the signal's reason when it aborts
 */
export async function hashMany(
  root: string,
  files: readonly ManyFile[],
  keep: (path: string, hashed: Hashed) => void,
  { progress, signal }: HashOptions = {},
): Promise<void> {
  const meter = new Meter(sizeOf(files), progress);
  await inLanes(batches(files), THREADS, async (batch) => {
    let told = 0;
    const tell = (path: string, bytes: number): void => {
      told += bytes;
      meter.add(path, bytes);
    };
    const named = batch.map(({ path }) => ({ path, location: absolute(root, path) }));
    const ends = await hashBeside(named, { progress: tell, signal });
    for (const [i, { path }] of batch.entries()) {
      const end = ends[i];
      if (end !== undefined && !(end instanceof Error)) keep(path, end);
    }
    meter.add(batch.at(-1)?.path ?? "", sizeOf(batch) - told);
  });
  meter.end();
}

function sizeOf(files: readonly ManyFile[]): number {
  return files.reduce((sum, { signature }) => sum + signature.size, 0);
}

/** Large files first: the last to be begun should be short. */
function* batches(files: readonly ManyFile[]): Generator<readonly ManyFile[]> {
  let batch: ManyFile[] = [];
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
