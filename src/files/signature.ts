/** A file's signature: tells whether the file changed, without reading it. */
import type { Stats } from "node:fs";

/** Times are doubles in milliseconds. They resolve 0.25 µs, far below a clock tick, and are cheaper than bigints. */
export interface Signature {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** A kernel stamps files with the time of its last tick, which is at most 10 ms old (HZ=100). Doubled to be safe. */
const TICK_MS = 20;
/** For file systems that store whole seconds only (some network ones; FAT stores every second one). */
const COARSE_TICK_MS = 2_000;

export function signatureOf({ size, mtimeMs, ctimeMs, ino }: Stats): Signature {
  return { size, mtimeMs, ctimeMs, ino };
}

export function sameSignature(a: Signature | null, b: Signature | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;
}

/** Whether a file could have been edited after its hashing began at `hashedAt` and still have this signature. */
export function isRacy(signature: Signature, hashedAt: number): boolean {
  return signature.ctimeMs >= hashedAt - tickOf(signature);
}

/** Milliseconds within which two changes of a file may have the same time. */
export function tickOf({ ctimeMs }: Signature): number {
  return ctimeMs % 1000 === 0 ? COARSE_TICK_MS : TICK_MS;
}
