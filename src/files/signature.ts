/** Defines a file's signature, which shows whether the file changed without reading it. */
import type { Stats } from "node:fs";

/** Times are doubles in milliseconds. They resolve 0.25 µs, far below a clock tick, and are cheaper than bigints. */
export interface Signature {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** A kernel stamps files with the time of its last tick, at most 10 ms ago (HZ=100). This is twice that, to be safe. */
const TICK_MS = 20;
/** The tick of file systems that store only whole seconds (some on the network), or every second one (FAT). */
const COARSE_TICK_MS = 2_000;

export function signatureOf({ size, mtimeMs, ctimeMs, ino }: Stats): Signature {
  return { size, mtimeMs, ctimeMs, ino };
}

export function sameSignature(a: Signature | null, b: Signature | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;
}

/** Whether a file could have this signature although somebody edited it after `hashedAt`, when its hashing began. */
export function isRacy(signature: Signature, hashedAt: number): boolean {
  return signature.ctimeMs >= hashedAt - tickOf(signature);
}

/** Milliseconds within which two changes of a file may have the same time. */
export function tickOf({ ctimeMs }: Signature): number {
  return ctimeMs % 1000 === 0 ? COARSE_TICK_MS : TICK_MS;
}
