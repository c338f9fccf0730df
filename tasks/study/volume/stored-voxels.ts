/** Reads the voxels of NRRD and MetaImage files: raw or compressed, in the header's file or in one beside it. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { decodeVoxels, type VoxelType } from "./nifti-types.ts";
import type { Size, VoxelArray } from "./volume.ts";

export interface StoredVoxels {
  /** The file that holds them. */
  readonly path: string;
  /** Bytes before them; "end": they are the last bytes of the file. */
  readonly offset: number | "end";
  readonly encoding: "raw" | "gzip" | "zlib";
  readonly type: VoxelType;
  readonly bigEndian: boolean;
  readonly size: Size;
}

/**
 * The voxels, x fastest. Compressed data may hold more than the volume; the rest is left out.
 * @throws Error if the file has too few bytes for the volume, before memory is allocated for it
 */
export async function readStoredVoxels(stored: StoredVoxels): Promise<VoxelArray> {
  const { type, size, encoding } = stored;
  const count = size[0] * size[1] * size[2];
  const bytes = count * type.bytes;
  const fileBytes = (await stat(stored.path)).size;
  const offset = stored.offset === "end" ? fileBytes - bytes : stored.offset;
  const available = (fileBytes - offset) * (encoding === "raw" ? 1 : MOST_DEFLATED);
  const states = `its header states ${size.join("×")} voxels of ${type.name}`;
  if (!(offset >= 0 && bytes <= available)) throw new Error(`${states}, more than the file can hold`);
  const raw = new Uint8Array(bytes);
  const filled = await fill(raw, stored.path, offset, encoding);
  if (filled < bytes) throw new Error(`${states}, but ${bytes - filled} bytes of them are missing`);
  const swap = stored.bigEndian && type.bytes > 1;
  return decodeVoxels(raw, type, swap, { slope: 1, intercept: 0 }, false);
}

/** Deflate cannot shrink data by more than this factor. */
const MOST_DEFLATED = 1032;

/** Fills `raw` from the file's bytes after `offset`. Returns the number of bytes that were there. */
async function fill(raw: Uint8Array, path: string, offset: number, encoding: StoredVoxels["encoding"]) {
  const file = createReadStream(path, { start: offset, highWaterMark: 1 << 20 });
  let content: Readable = file;
  if (encoding !== "raw") {
    content = file.pipe(encoding === "gzip" ? createGunzip() : createInflate());
    file.once("error", (error) => content.destroy(error));
  }
  let filled = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, raw.length - filled);
      raw.set(part, filled);
      filled += part.length;
      if (filled === raw.length) break;
    }
  } finally {
    file.destroy();
  }
  return filled;
}

/**
 * The path of the data file that a header names. It must lie beside the header and have the header's name with another
 * ending, because lq finds the files of a volume by their names.
 */
export function dataFileOf(header: string, name: string): string {
  const file = name.replace(/^\.\//, "");
  const stem = basename(header).replace(/\.[^.]+$/, "");
  if (file.includes("/") || file.includes("\\") || !file.startsWith(`${stem}.`)) {
    throw new Error(
      `its voxels are in ${JSON.stringify(name)}, but lq reads only a file of the same folder and name, as ${stem}.raw`,
    );
  }
  return join(dirname(header), file);
}
