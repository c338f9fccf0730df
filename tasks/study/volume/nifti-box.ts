/** Reads boxes of an uncompressed NIfTI file from disk without loading the whole volume. */
import { type FileHandle, open } from "node:fs/promises";
import { LONGEST_HEADER, type NiftiHeader, parseNiftiHeader } from "./nifti-header.ts";
import { decodeVoxels } from "./nifti-types.ts";
import { isGzip, named, requireRoom, sizeOf } from "./nifti-file.ts";
import type { Size, VoxelArray } from "./volume.ts";

export interface NiftiFile {
  readonly header: NiftiHeader;
  readonly size: Size;
  /**
   * The values of a box, x fastest, scaled as by readNifti. It makes one read for each slice of the box.
   * @throws RangeError if the box does not lie within the volume
   */
  read(box: { readonly start: Size; readonly size: Size }): Promise<VoxelArray>;
  close(): Promise<void>;
}

/**
 * Opens a .nii file; boxes of a 4D file come from its first volume.
 * @throws Error that names the file and the fact that makes it unusable
 */
export async function openNifti(path: string): Promise<NiftiFile> {
  let file: FileHandle | null = null;
  try {
    if (isGzip(path)) throw new Error("boxes can only be read from an uncompressed .nii file");
    file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_HEADER), 0, LONGEST_HEADER, 0);
    const header = parseNiftiHeader(buffer.subarray(0, bytesRead));
    requireRoom(header, (await file.stat()).size);
    return opened(path, file, header);
  } catch (error) {
    await file?.close();
    throw named(path, error);
  }
}

function opened(path: string, file: FileHandle, header: NiftiHeader): NiftiFile {
  const size = sizeOf(header);
  const { bytes } = header.type;
  return {
    header,
    size,
    close: () => file.close(),
    async read({ start, size: box }) {
      if (start.some((s, axis) => s < 0 || box[axis]! < 1 || s + box[axis]! > size[axis]!)) {
        throw new RangeError(
          `${path}: a box of ${box.join("×")} at ${start.join(", ")} does not lie within ${size.join("×")}`,
        );
      }
      const row = box[0] * bytes;
      const raw = new Uint8Array(row * box[1] * box[2]);
      await Promise.all(
        Array.from({ length: box[2] }, async (_, z) => {
          // Read all from the slice's first to its last voxel, and keep a part of each row.
          const first = start[0] + size[0] * (start[1] + size[1] * (start[2] + z));
          const length = (size[0] * (box[1] - 1) + box[0]) * bytes;
          const slice = Buffer.allocUnsafe(length);
          const { bytesRead } = await file.read(slice, 0, length, header.offset + first * bytes);
          if (bytesRead < length) throw new Error(`${path}: it was shortened after it was opened`);
          for (let y = 0; y < box[1]; y++) {
            const from = y * size[0] * bytes;
            raw.set(slice.subarray(from, from + row), (z * box[1] + y) * row);
          }
        }),
      );
      return decodeVoxels(raw, header.type, !header.littleEndian, header.scaling, false);
    },
  };
}
