/** Finds where the entries of a zip file lie, so that parts of them can be read later. */
import { type Entry, openPromise } from "yauzl";
import type { ByteRange } from "./tensor.ts";

export interface ZipEntry {
  readonly range: ByteRange;
}

/** Entries by name. Throws an Error if an entry is encrypted, has an unknown compression, or lies outside the file. */
export async function readZipEntries(path: string): Promise<Map<string, ZipEntry>> {
  const zip = await openPromise(path, { autoClose: false });
  try {
    const entries = new Map<string, ZipEntry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, await locate(entry));
    return entries;

    async function locate(entry: Entry): Promise<ZipEntry> {
      if (entry.isEncrypted()) throw new Error(`${entry.fileName} is encrypted`);
      const { fileDataStart: start } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
      const length = entry.compressedSize;
      if (start + length > zip.fileSize)
        throw new Error(`${entry.fileName} reaches beyond the end of the file`);
      if (entry.compressionMethod === 0) return { range: { path, start, length } };
      if (entry.compressionMethod !== 8) throw new Error(`${entry.fileName} has an unknown compression`);
      return { range: { path, start, length, inflated: entry.uncompressedSize } };
    }
  } finally {
    zip.close();
  }
}
