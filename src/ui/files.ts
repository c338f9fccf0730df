/** Opens and sends the files that src/ui/answers/files.ts allows. It follows no link to another place. */
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { extname, sep } from "node:path";
import type { NamedFile } from "./answers/files.ts";
import { headers } from "./guard.ts";

export const FILE_TYPES: { readonly [extension: string]: string } = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".gz": "application/gzip",
  ".nii": "application/octet-stream",
  ".pdf": "application/pdf",
};

/** @returns a descriptor; null if there is no such file, or if the server must not send it */
export function openNamed({ file, within }: NamedFile): number | null {
  let descriptor: number | null = null;
  try {
    const real = realpathSync(file);
    if (!isWithin(real, within)) return null;
    // O_NONBLOCK: to open a pipe would wait for its writer.
    descriptor = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    // Check again: somebody may have replaced a folder of the path by a link meanwhile.
    if (fstatSync(descriptor).isFile() && isWithin(pathOf(descriptor, real), within)) return descriptor;
    closeSync(descriptor);
    return null;
  } catch {
    if (descriptor !== null) closeSync(descriptor);
    return null;
  }
}

/** Sends the whole file and closes it. */
export function sendFile(response: ServerResponse, descriptor: number, path: string, isHead: boolean): void {
  const { size } = fstatSync(descriptor);
  const type = FILE_TYPES[extname(path).toLowerCase()] ?? "text/plain; charset=utf-8";
  const head: OutgoingHttpHeaders = { ...headers("file"), "Content-Type": type, "Content-Length": size };
  response.writeHead(200, head);
  if (isHead || size === 0) {
    closeSync(descriptor);
    response.end();
    return;
  }
  const stream = createReadStream("", { fd: descriptor, end: size - 1 });
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.destroy());
  stream.pipe(response);
}

/**
 * Reads a part of a text file that ends with a whole character, and says where the next part begins. Closes the file.
 */
export function readPart(
  descriptor: number,
  from: number,
  most: number,
): { readonly text: string; readonly size: number; readonly next: number } {
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.max(0, Math.min(most, size - from)));
    const length = buffer.length === 0 ? 0 : readSync(descriptor, buffer, 0, buffer.length, from);
    const whole = wholeCharacters(buffer, length) || length;
    return { text: buffer.toString("utf8", 0, whole), size, next: from + whole };
  } finally {
    closeSync(descriptor);
  }
}

/** Leaves out the bytes of a last character that is not complete. */
function wholeCharacters(buffer: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = buffer[length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? length - back : length;
  }
  return length;
}

/** The path of the open file according to the system. Only Linux says it. */
function pathOf(descriptor: number, otherwise: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return otherwise;
  }
}

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep));
}
