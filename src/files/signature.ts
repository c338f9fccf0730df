/** What tells one state of a file from another without reading it. */
import type { Stats } from "node:fs";

/** Times in milliseconds as doubles hold about 0.25 µs, far below any clock tick, without the cost of bigints. */
export interface Signature {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** Kernels stamp files with the time of the last tick: at most 10 ms old (HZ=100), doubled to be safe. */
const TICK_MS = 20;
/** File systems that keep whole seconds only (some network and FAT ones, which count in twos). */
const COARSE_TICK_MS = 2_000;

export function signatureOf({ size, mtimeMs, ctimeMs, ino }: Stats): Signature {
  return { size, mtimeMs, ctimeMs, ino };
}

export function sameSignature(a: Signature | null, b: Signature | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;
}

/** Whether a file whose hashing began at `hashedAt` could since have been edited without a change of its signature. */
export function isRacy(signature: Signature, hashedAt: number): boolean {
  return signature.ctimeMs >= hashedAt - tickOf(signature);
}

/** Milliseconds within which two changes of a file may bear one time. */
export function tickOf({ ctimeMs }: Signature): number {
  return ctimeMs % 1000 === 0 ? COARSE_TICK_MS : TICK_MS;
}
