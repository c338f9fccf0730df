/** Digests of files that nobody remembers anything of: small ones are read at once, large ones beside the event loop. */
import { statSync } from "node:fs";
import { hashBeside } from "./hash-threads.ts";
import { hashNow, hashWithContent } from "./hash.ts";

/** To hash as much takes some milliseconds: a thread is worth it. */
const LARGE = 8 << 20;
/** Up to here `readFile` gives the content. */
const SMALL = 1 << 16;

/** @throws UserError if it cannot be read */
export async function hashFile(location: string): Promise<string> {
  const { size } = statSync(location);
  return size <= LARGE ? hashNow(location, location).digest : hashLarge(location);
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
  if (size > LARGE) return { digest: await hashLarge(location), executable, content: null };
  const { digest, content } = hashWithContent(location, location, SMALL);
  return { digest, executable, content };
}

async function hashLarge(location: string): Promise<string> {
  const [end] = await hashBeside([{ location, path: location }]);
  // What went wrong has lost its code on the way between threads: here it goes wrong as it should.
  return end === undefined || end instanceof Error ? hashNow(location, location).digest : end.digest;
}
