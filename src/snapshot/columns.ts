/**
 * Reads and writes a file of columns. It reads the file completely or not at all:
 *
 *     magic and version (5 bytes)   0 0 0   u32 crc32 of all that follows   u32 bytes of the head
 *     the head, JSON   the columns, each at a multiple of 8 bytes
 *
 * Numbers are little-endian. The head says how many bytes each column has. A damaged file, or a file of another
 * version, counts as missing.
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "../files/make-folder.ts";
import { replaceFile } from "../files/replace-file.ts";

/** The content of a file. `head` can be any JSON. */
export interface Columns<H> {
  readonly head: H;
  readonly columns: readonly Uint8Array[];
}

const FIXED = 16;
const CHECKSUM = 8;
const LENGTH = 12;

/** @returns the checksum, which another file can use to refer to this one */
export function writeColumns<H>(file: string, magic: string, { head, columns }: Columns<H>): number {
  const json = Buffer.from(JSON.stringify({ head, bytes: columns.map(({ byteLength }) => byteLength) }));
  const fixed = Buffer.alloc(FIXED);
  fixed.write(magic, "latin1");
  fixed.writeUInt32LE(json.length, LENGTH);
  // Write the parts one by one, without joining them: a column may have 10 MB.
  const parts = [json, ...columns].flatMap((part) => [part, new Uint8Array(-part.byteLength & 7)]);
  const checksum = [fixed.subarray(LENGTH), ...parts].reduce((sum, part) => crc32(part, sum), 0);
  fixed.writeUInt32LE(checksum, CHECKSUM);
  makeFolder(dirname(file));
  replaceFile(file, fixed, ...parts);
  return checksum;
}

/** Null if there is no undamaged file of this version. */
export function readColumns<H>(
  file: string,
  magic: string,
): (Columns<H> & { readonly checksum: number }) | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return null;
  }
  if (bytes.length < FIXED || bytes.toString("latin1", 0, CHECKSUM) !== magic.padEnd(CHECKSUM, "\0"))
    return null;
  const checksum = bytes.readUInt32LE(CHECKSUM);
  if (crc32(bytes.subarray(LENGTH)) !== checksum) return null;
  const length = bytes.readUInt32LE(LENGTH);
  const { head, bytes: lengths } = JSON.parse(bytes.toString("utf8", FIXED, FIXED + length)) as {
    readonly head: H;
    readonly bytes: readonly number[];
  };
  let at = aligned(FIXED + length);
  const columns = lengths.map((size) => {
    const column = bytes.subarray(at, at + size);
    at = aligned(at + size);
    return column;
  });
  return { head, columns, checksum };
}

function aligned(at: number): number {
  return (at + 7) & ~7;
}

/** Texts without NUL, stored with NUL between them. */
export class Texts {
  readonly column: Uint8Array;
  #list: readonly string[] | undefined;

  constructor(column: Uint8Array) {
    this.column = column;
  }

  static of(list: readonly string[]): Texts {
    return new Texts(Buffer.from(list.join("\0")));
  }

  get list(): readonly string[] {
    if (this.column.byteLength === 0) return [];
    return (this.#list ??= this.#bytes.toString().split("\0"));
  }

  /**
   * Some entries of the list. This does not decode the others.
   * @param indices ascending
   */
  pick(indices: readonly number[]): readonly string[] {
    const bytes = this.#bytes;
    let index = 0;
    let start = 0;
    return indices.map((wanted) => {
      for (; index < wanted; index++) start = bytes.indexOf(0, start) + 1;
      const end = bytes.indexOf(0, start);
      return bytes.toString("utf8", start, end < 0 ? bytes.length : end);
    });
  }

  get #bytes(): Buffer {
    const { buffer, byteOffset, byteLength } = this.column;
    return Buffer.from(buffer, byteOffset, byteLength);
  }
}

export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function float64sOf(column: Uint8Array): Float64Array {
  const { buffer, byteOffset, byteLength } = atMultipleOf8(column);
  return new Float64Array(buffer, byteOffset, byteLength / Float64Array.BYTES_PER_ELEMENT);
}

export function int32sOf(column: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = atMultipleOf8(column);
  return new Int32Array(buffer, byteOffset, byteLength / Int32Array.BYTES_PER_ELEMENT);
}

/** Typed arrays need this alignment, and the bytes of a small file can begin anywhere in memory. */
function atMultipleOf8(column: Uint8Array): Uint8Array {
  return column.byteOffset % 8 === 0 ? column : Uint8Array.from(column);
}
