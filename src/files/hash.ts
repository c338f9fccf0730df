/** Reads files for their digests: every file that lq hashes is hashed here, in one thread or another. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../model/errors.ts";
import { isStale } from "./network-files.ts";
import { sameSignature, type Signature } from "./signature.ts";
import { sha256 } from "../system/digest.ts";
import { fileSignature, readable } from "./file-signature.ts";

export interface Hashed {
  readonly digest: string;
  /** That the file had before and after. */
  readonly signature: Signature;
  /** When the reading began, in milliseconds since 1970. */
  readonly since: number;
}

const CHUNK = 1 << 20;
/** Bytes between two tellings of progress. */
const STRIDE = 32 << 20;
/** A file that is being written is tried again as often. */
const ATTEMPTS = 5;

let buffer: Buffer | undefined;

/**
 * @param path as a user knows the file
 * @param progress told of bytes as they are read; of small files nothing
 * @throws UserError if the file cannot be read, or does not keep still meanwhile
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
        // Replaced by another machine: what is there now can be read.
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

/** As `hashNow`, with a copy of the content if that is no larger than `most`, which is below a MiB. */
export function hashWithContent(
  location: string,
  path: string,
  most: number,
): Hashed & { readonly content: Buffer | null } {
  const hashed = hashNow(location, path);
  const { size } = hashed.signature;
  // The buffer still holds what was hashed, and is used for the next file.
  return { ...hashed, content: size <= most ? Buffer.from(chunk().subarray(0, size)) : null };
}

function chunk(): Buffer {
  return (buffer ??= Buffer.allocUnsafe(CHUNK));
}

function hashOpen(file: number, into: Buffer, progress?: (bytes: number) => void): string {
  const first = readSync(file, into, 0, CHUNK, null);
  if (first < CHUNK) {
    // A short read is the end of a regular file, except that signals may cut one: the next read then tells.
    const rest = readSync(file, into, first, CHUNK - first, null);
    if (rest === 0) return sha256(into.subarray(0, first));
    return hashRest(file, into, first + rest, progress);
  }
  return hashRest(file, into, first, progress);
}

function hashRest(file: number, into: Buffer, filled: number, progress?: (bytes: number) => void): string {
  const hash = createHash("sha256");
  let untold = 0;
  for (let length = filled; length > 0; length = readSync(file, into, 0, CHUNK, null)) {
    hash.update(into.subarray(0, length));
    untold += length;
    if (untold < STRIDE) continue;
    progress?.(untold);
    untold = 0;
  }
  return hash.digest("hex");
}
