/**
 * Notices that the project on disk has changed: the pipeline's files, sources, code and lq's records, by their stat
 * signatures. It polls, because file servers do not notify. It takes at most 1/50 of the time.
 */
import { lstat } from "node:fs/promises";
import { performance } from "node:perf_hooks";

/** Milliseconds between two polls, unless a poll takes long. */
const EVERY_MS = 2_000;
/** Polls may take at most 1/SHARE of the time. */
const SHARE = 50;
/** How many files to ask for at the same time. */
const LANES = 64;

export class ProjectChanges {
  readonly #changed: () => void;
  #files: readonly string[] = [];
  #signature = "";
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param changed called after each poll that found another state than the poll before */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches these files from now on, starting from their present state. */
  async watch(files: readonly string[]): Promise<void> {
    this.#files = files;
    this.#signature = await signatureOf(files);
    this.#next(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #next(took: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), Math.max(EVERY_MS, took * SHARE));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const began = performance.now();
    const files = this.#files;
    const signature = await signatureOf(files);
    const isOther = files === this.#files && signature !== this.#signature;
    if (files === this.#files) this.#signature = signature;
    this.#next(performance.now() - began);
    if (isOther) this.#changed();
  }
}

async function signatureOf(files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (let i = 0; i < files.length; i += LANES)
    parts.push(...(await Promise.all(files.slice(i, i + LANES).map(signatureOfOne))));
  return parts.join();
}

async function signatureOfOne(file: string): Promise<string> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await lstat(file);
    return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  } catch {
    return "";
  }
}
