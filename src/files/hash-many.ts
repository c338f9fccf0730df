/** Hashes many files on all cores and reports progress. */
import { inLanes } from "../system/lanes.ts";
import type { Signature } from "./signature.ts";
import { hashBeside, THREADS } from "./hash-threads.ts";
import type { Hashed } from "./hash.ts";
import { absolute } from "../model/paths.ts";

export interface ManyFile {
  readonly path: string;
  readonly signature: Signature;
}

/** The progress of hashing. */
export interface HashProgress {
  /** A file that is being read. */
  readonly file: string;
  readonly bytes: number;
  readonly total: number;
  /** Seconds since the hashing began. */
  readonly seconds: number;
}

export interface HashOptions {
  readonly progress?: (progress: HashProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** False: do not store new digests on disk, even if there are many. */
  readonly keep?: boolean;
}

/** From this many bytes on, lq starts threads to hash, and stores the digests. */
const MUCH = 64 << 20;
/** Bytes of one batch for a thread. Batches make small files as cheap as in this thread. */
const BATCH = 4 << 20;
/** Milliseconds between two progress reports. */
const REPORT_MS = 200;

export function isMuch(files: readonly ManyFile[]): boolean {
  return sizeOf(files) >= MUCH;
}

/**
 * @param keep called with each file and its digest, but not for files that cannot be read
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
    let reported = 0;
    const report = (path: string, bytes: number): void => {
      reported += bytes;
      meter.add(path, bytes);
    };
    const named = batch.map(({ path }) => ({ path, location: absolute(root, path) }));
    const ends = await hashBeside(named, { progress: report, signal });
    for (const [i, { path }] of batch.entries()) {
      const end = ends[i];
      if (end !== undefined && !(end instanceof Error)) keep(path, end);
    }
    meter.add(batch.at(-1)?.path ?? "", sizeOf(batch) - reported);
  });
  meter.end();
}

function sizeOf(files: readonly ManyFile[]): number {
  return files.reduce((sum, { signature }) => sum + signature.size, 0);
}

/** Makes batches with the largest files first, so that the last batch is short. */
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

/** Reports progress at intervals, and the end if it reported progress before. */
class Meter {
  readonly #total: number;
  readonly #progress: (progress: HashProgress) => void;
  readonly #since = performance.now();
  #reportedAt = this.#since;
  #bytes = 0;
  #file = "";

  constructor(total: number, progress: (progress: HashProgress) => void = () => undefined) {
    this.#total = total;
    this.#progress = progress;
  }

  add(file: string, bytes: number): void {
    this.#bytes += bytes;
    this.#file = file;
    if (performance.now() - this.#reportedAt >= REPORT_MS) this.#report();
  }

  end(): void {
    this.#bytes = this.#total;
    if (this.#reportedAt > this.#since) this.#report();
  }

  #report(): void {
    this.#reportedAt = performance.now();
    const seconds = (this.#reportedAt - this.#since) / 1000;
    this.#progress({ file: this.#file, bytes: this.#bytes, total: this.#total, seconds });
  }
}
