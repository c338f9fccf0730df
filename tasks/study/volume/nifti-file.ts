/** Helpers for reading and writing NIfTI files. */
import { dataBytes, type NiftiHeader } from "./nifti-header.ts";

/** Throws an Error if the header states more voxels than `available` bytes can hold. */
export function requireRoom(header: NiftiHeader, available: number): void {
  if (header.offset + dataBytes(header) > available) {
    throw new Error(
      `its header states ${header.shape.join("×")} voxels of ${header.type.name}, more than the file can hold`,
    );
  }
}

/** Voxels along x, y, z, without frames. */
export function sizeOf({ shape }: NiftiHeader): [number, number, number] {
  return [shape[0]!, shape[1]!, shape[2]!];
}

/** Whether the file's name says that it is compressed. */
export function isGzip(path: string): boolean {
  return path.toLowerCase().endsWith(".gz");
}

/** The error with the file's name in front. It replaces the texts of Node and zlib by plain ones. */
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
