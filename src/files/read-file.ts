/** Hashes files whose digests are not known. It reads small files in this thread, and large ones in another. */
import { statSync } from "node:fs";
import { hashBeside } from "./hash-threads.ts";
import { hashNow, hashWithContent } from "./hash.ts";

/** Hashing more bytes than this takes several milliseconds, so another thread does it. */
const LARGE = 8 << 20;
/** Up to this size `readFile` returns the content. */
const SMALL = 1 << 16;

export function isLarge({ size }: { readonly size: number }): boolean {
  return size > LARGE;
}

/** @throws UserError if it cannot be read */
export async function hashFile(location: string): Promise<string> {
  return isLarge(statSync(location)) ? hashLarge(location) : hashNow(location, location).digest;
}

export interface FileContent {
  readonly digest: string;
  readonly executable: boolean;
  /** Null for a file that is not small. */
  readonly content: Buffer | null;
}

/** Like `hashFile`, with all that is needed to store the file. */
export async function readFile(location: string): Promise<FileContent> {
  const stats = statSync(location);
  const executable = (stats.mode & 0o100) !== 0;
  if (isLarge(stats)) return { digest: await hashLarge(location), executable, content: null };
  const { digest, content } = hashWithContent(location, location, SMALL);
  return { digest, executable, content };
}

async function hashLarge(location: string): Promise<string> {
  const [end] = await hashBeside([{ location, path: location }]);
  // An error from the thread has lost its code. Hash again here, so that the error has one.
  return end === undefined || end instanceof Error ? hashNow(location, location).digest : end.digest;
}
