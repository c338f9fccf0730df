/** The text at the beginning of NRRD and MetaImage files. */
import { open } from "node:fs/promises";

/** Longest header that is read. Real ones have a few hundred bytes; Slicer's with segments, some ten thousand. */
const LONGEST = 1 << 20;

export interface TextHeader {
  readonly lines: readonly string[];
  /** Bytes up to the end of the last line. */
  readonly bytes: number;
}

/**
 * The lines of a header, up to the first for which `isLast` holds, or all lines of a short file.
 * @throws Error if there is no such line within the first MiB
 */
export async function readTextHeader(path: string, isLast: (line: string) => boolean): Promise<TextHeader> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
    const lines: string[] = [];
    for (let at = 0; at < bytesRead;) {
      const newline = buffer.subarray(0, bytesRead).indexOf("\n", at);
      const end = newline < 0 ? bytesRead : newline;
      const line = buffer.toString("utf8", at, end).replace(/\r$/, "");
      at = Math.min(end + 1, bytesRead);
      lines.push(line);
      if (isLast(line)) return { lines, bytes: at };
    }
    if (bytesRead === LONGEST) throw new Error("its header does not end within the first MiB");
    return { lines, bytes: bytesRead };
  } finally {
    await file.close();
  }
}

/**
 * The numbers of a field.
 * @throws Error that names the field if there are not `count` finite numbers
 */
export function numbers(field: string, text: string, count: number): number[] {
  const values = text
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  if (values.length === count && values.every(Number.isFinite)) return values;
  throw new Error(`its field "${field}" is ${JSON.stringify(text)}, not ${count} numbers`);
}

/** The volume's size. Throws an Error unless the field has three whole numbers above 0. */
export function sizeOfField(field: string, text: string): [number, number, number] {
  const size = numbers(field, text, 3) as [number, number, number];
  if (size.every((n) => Number.isSafeInteger(n) && n > 0)) return size;
  throw new Error(`its field "${field}" is ${JSON.stringify(text)}, not three whole numbers above 0`);
}
