/** Hashes files. lq hashes every file with this code, in the main thread or in another one. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../model/errors.ts";
import { isStale } from "./network-files.ts";
import { sameSignature, type Signature } from "./signature.ts";
import { sha256 } from "../system/digest.ts";
import { fileSignature, readable } from "./file-signature.ts";

export interface Hashed {
  readonly digest: string;
  /** The file's signature, the same before and after the reading. */
  readonly signature: Signature;
  /** When the reading began, in milliseconds since 1970. */
  readonly since: number;
}

const CHUNK = 1 << 20;
/** Bytes between two progress reports. */
const STRIDE = 32 << 20;
/** How often lq reads a file that is being written. */
const ATTEMPTS = 5;

let buffer: Buffer | undefined;

/**
 * @param path the path that the user knows
 * @param progress called with the bytes read since the last call; not for small files
 * @throws UserError if the file cannot be read, or changes during each attempt
 */
export function hashNow(location: string, path: string, progress?: (bytes: number) => void): Hashed {
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const since = Date.now();
      const file = openSync(location, "r");
      try {
        const signature = fileSignature(fstatSync(file), path);
        const digest = hashOpen(file, chunk(), progress);
        if (sameSignature(signature, fileSignature(fstatSync(file), path)))
          return { digest, signature, since };
      } catch (error) {
        // Another machine replaced the file: the new one can be read.
        if (!isStale(error) || attempt === ATTEMPTS) throw error;
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

/** Like `hashNow`, with a copy of the content if it has at most `most` bytes. `most` must be below 1 MiB. */
export function hashWithContent(
  location: string,
  path: string,
  most: number,
): Hashed & { readonly content: Buffer | null } {
  const hashed = hashNow(location, path);
  const { size } = hashed.signature;
  // Copy the content, because the next file overwrites the buffer.
  return { ...hashed, content: size <= most ? Buffer.from(chunk().subarray(0, size)) : null };
}

function chunk(): Buffer {
  return (buffer ??= Buffer.allocUnsafe(CHUNK));
}

function hashOpen(file: number, into: Buffer, progress?: (bytes: number) => void): string {
  const first = readSync(file, into, 0, CHUNK, null);
  if (first < CHUNK) {
    // A short read means the end of a regular file, unless a signal cut it short. The next read shows which.
    const rest = readSync(file, into, first, CHUNK - first, null);
    if (rest === 0) return sha256(into.subarray(0, first));
    return hashRest(file, into, first + rest, progress);
  }
  return hashRest(file, into, first, progress);
}

function hashRest(file: number, into: Buffer, filled: number, progress?: (bytes: number) => void): string {
  const hash = createHash("sha256");
  let unreported = 0;
  for (let length = filled; length > 0; length = readSync(file, into, 0, CHUNK, null)) {
    hash.update(into.subarray(0, length));
    unreported += length;
    if (unreported < STRIDE) continue;
    progress?.(unreported);
    unreported = 0;
  }
  return hash.digest("hex");
}
