/** What reading and writing NIfTI files have in common. */
import { dataBytes, type NiftiHeader } from "./nifti-header.ts";

/** Throws an Error if the voxels that the header promises cannot be in so many bytes. */
export function requireRoom(header: NiftiHeader, available: number): void {
  if (header.offset + dataBytes(header) > available) {
    throw new Error(
      `${header.shape.join("×")} voxels of ${header.type.name} are promised, more than the file can hold`,
    );
  }
}

/** Voxels along x, y, z; frames are left out. */
export function sizeOf({ shape }: NiftiHeader): [number, number, number] {
  return [shape[0]!, shape[1]!, shape[2]!];
}

/** By the file's name. */
export function isGzip(path: string): boolean {
  return path.toLowerCase().endsWith(".gz");
}

/** The error with the file's name before it, and in the reader's words where zlib has its own. */
export function named(path: string, error: unknown): Error {
  const { message, code } = error as NodeJS.ErrnoException;
  const words: { readonly [code: string]: string } = {
    ENOENT: "there is no such file",
    EISDIR: "it is a folder, not a file",
    Z_BUF_ERROR: "the gzip stream ends too early: the file is truncated",
    Z_DATA_ERROR: `the gzip stream is damaged (${message})`,
  };
  return new Error(`${path}: ${words[code ?? ""] ?? message}`, { cause: error });
}
