/** Reads NIfTI-1 and NIfTI-2 files, plain (.nii) or gzip-compressed (.nii.gz), by the file's name. */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { constants, createGunzip } from "node:zlib";
import { isGzip, named, requireRoom, sizeOf } from "./nifti-file.ts";
import { dataBytes, LONGEST_HEADER, type NiftiHeader, parseNiftiHeader } from "./nifti-header.ts";
import { decodeVoxels, type VoxelType } from "./nifti-types.ts";
import type { LabelVolume, Volume } from "./volume.ts";

export type { NiftiHeader } from "./nifti-header.ts";
export { openNifti, type NiftiFile } from "./nifti-box.ts";
export { writeNifti, type WriteOptions } from "./nifti-write.ts";

export interface ReadOptions {
  /** The number, from 0, of the 3D volume to read from a 4D file. Without it a file with several is refused. */
  readonly frame?: number;
  /** Round scaled values to float32 where they would else need float64. */
  readonly float32?: boolean;
}

/**
 * Reads a volume. The axes keep their stored order. Slope and intercept are applied in double precision.
 *
 * Without a scaling the values keep the file's type (64-bit integers become float64). With one they get the narrowest
 * type that holds them exactly. The file is decompressed while it is read: memory holds the result, and the raw
 * values too if they are scaled.
 *
 * @throws Error that names the file and the fact that makes it unusable: truncated or damaged data, dimensions that do
 *   not fit the file, an affine that is singular or not finite, an unknown voxel type, …
 */
export async function readNifti(path: string, options: ReadOptions = {}): Promise<Volume> {
  try {
    const { header, raw } = await readRaw(path, options.frame);
    const swap = !header.littleEndian;
    return {
      data: decodeVoxels(raw, header.type, swap, header.scaling, options.float32 ?? false),
      size: sizeOf(header),
      spacing: header.spacing,
      affine: header.affine,
    };
  } catch (error) {
    throw named(path, error);
  }
}

/**
 * Reads a label map, as readNifti.
 * @throws Error also for a value that is not a whole number from 0 to 65535 (to within 1e-3)
 */
export async function readLabels(path: string): Promise<LabelVolume> {
  return labelsOf(path, await readNifti(path));
}

/**
 * A volume's values as labels, in 8 or 16 bits.
 * @throws Error that names the file for a value that is not a whole number from 0 to 65535 (to within 1e-3)
 */
export function labelsOf(path: string, volume: Volume): LabelVolume {
  const { data, size } = volume;
  if (data instanceof Uint8Array) return { ...volume, data };
  let greatest = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    const label = Math.round(value);
    if (!(label >= 0 && label <= 65535 && Math.abs(value - label) <= 1e-3)) {
      const row = Math.floor(i / size[0]);
      const place = [i % size[0], row % size[1], Math.floor(row / size[1])].join(", ");
      throw new Error(`${path}: voxel (${place}) is ${value}, but labels are whole numbers from 0 to 65535`);
    }
    if (label > greatest) greatest = label;
  }
  const labels = greatest < 256 ? new Uint8Array(data.length) : new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) labels[i] = Math.round(data[i]!);
  return { ...volume, data: labels };
}

/** Reads the header alone, from the first 64 KiB of the file. Throws as readNifti. */
export async function readHeader(path: string): Promise<NiftiHeader> {
  try {
    const file = await open(path);
    try {
      const head = Buffer.alloc(1 << 16);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      const bytes = head.subarray(0, bytesRead);
      if (!isGzip(path)) return parseNiftiHeader(bytes);
      requireGzip(bytes);
      return parseNiftiHeader(await gunzipHead(bytes));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw named(path, error);
  }
}

async function readRaw(path: string, frame: number | undefined) {
  const { size: fileBytes } = await stat(path);
  const compressed = isGzip(path);
  if (compressed) requireGzip(await firstBytes(path));
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  // Not stream.pipeline: with zero padding gunzip ends before the file does, which it takes for a failure.
  const content: Readable = compressed ? file.pipe(createGunzip({ chunkSize: 1 << 20 })) : file;
  if (compressed) file.once("error", (error) => content.destroy(error));
  try {
    const reader = new RawReader(fileBytes, compressed, frame);
    for await (const chunk of content as AsyncIterable<Buffer>) reader.take(chunk);
    return reader.finish();
  } finally {
    file.destroy();
  }
}

/** Takes the decompressed file in chunks and keeps the voxels of one frame. */
class RawReader {
  #head = Buffer.alloc(0);
  #header: NiftiHeader | null = null;
  #raw = new Uint8Array(0);
  #position = 0;
  #start = 0;
  readonly #fileBytes: number;
  readonly #compressed: boolean;
  readonly #frame: number | undefined;

  constructor(fileBytes: number, compressed: boolean, frame: number | undefined) {
    this.#fileBytes = fileBytes;
    this.#compressed = compressed;
    this.#frame = frame;
  }

  take(chunk: Buffer): void {
    if (this.#header) this.#copy(chunk);
    else {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (this.#head.length >= LONGEST_HEADER) this.#begin();
    }
  }

  finish(): { header: NiftiHeader; raw: Uint8Array<ArrayBuffer> } {
    if (!this.#header) this.#begin();
    const header = this.#header!;
    const missing = this.#start + this.#raw.length - this.#position;
    if (missing > 0) {
      throw new Error(
        `its header states ${header.shape.join("×")} voxels of ${header.type.name}, but ${missing} bytes of them are missing`,
      );
    }
    return { header, raw: this.#raw };
  }

  #begin(): void {
    const header = parseNiftiHeader(this.#head);
    const available = this.#compressed ? this.#fileBytes * MOST_DEFLATED : this.#fileBytes;
    requireRoom(header, available);
    const frame = frameBytes(header);
    const frames = dataBytes(header) / frame;
    const chosen = this.#frame ?? 0;
    if (this.#frame === undefined && frames > 1) {
      throw new Error(`it holds ${frames} volumes (${header.shape.join("×")}) where one is expected`);
    }
    if (chosen >= frames)
      throw new Error(`there is no volume ${chosen}: the file holds ${frames}, counted from 0`);
    this.#header = header;
    this.#start = header.offset + chosen * frame;
    this.#raw = new Uint8Array(frame);
    this.#copy(this.#head);
  }

  #copy(chunk: Buffer): void {
    const from = Math.max(0, this.#start - this.#position);
    const to = Math.min(chunk.length, this.#start + this.#raw.length - this.#position);
    if (to > from) this.#raw.set(chunk.subarray(from, to), this.#position + from - this.#start);
    this.#position += chunk.length;
  }
}

/**
 * Deflate cannot shrink data by more than this factor. A header that states more is refused before memory is allocated.
 */
const MOST_DEFLATED = 1032;

function frameBytes({ shape, type }: { shape: readonly number[]; type: VoxelType }): number {
  return shape[0]! * shape[1]! * shape[2]! * type.bytes;
}

function requireGzip(head: Uint8Array): void {
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    throw new Error("it is not gzip-compressed, although its name ends in .gz");
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The first decompressed bytes of a gzip file, enough for a header. */
async function gunzipHead(bytes: Buffer): Promise<Buffer> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  gunzip.end(bytes);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= LONGEST_HEADER) break;
  }
  return Buffer.concat(chunks);
}
