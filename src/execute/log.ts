/**
 * The output of one attempt. The file is made with the first byte. A long output keeps only its head and its tail. A
 * task does not fail when its log cannot be written (the disk is full); the rest of the log is then lost.
 */
import { closeSync, mkdirSync, openSync, readSync, statSync, writeSync } from "node:fs";
import path from "node:path";

const HEAD_BYTES = 8 * 2 ** 20;
const TAIL_BYTES = 64 * 2 ** 10;
const TAIL_LINES = 20;

export class TaskLog {
  readonly path: string;
  #file: number | null = null;
  #written = 0;
  #seen = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #lost = false;

  /** Appends: drop the log of an earlier run first. */
  constructor(path: string) {
    this.path = path;
  }

  write(text: string | Uint8Array): void {
    const chunk = typeof text === "string" ? Buffer.from(text) : Buffer.from(text);
    this.#seen += chunk.length;
    const head = chunk.subarray(0, HEAD_BYTES - this.#written);
    if (head.length > 0) this.#append(head);
    if (head.length < chunk.length) this.#keepTail(chunk.subarray(head.length));
  }

  close(): void {
    const left = this.#seen - this.#written - this.#tailBytes;
    if (left > 0) this.#append(Buffer.from(`\n[lq: ${left} bytes left out]\n`));
    for (const chunk of this.#tail.splice(0)) this.#append(chunk);
    const file = this.#file;
    this.#file = null;
    try {
      if (file !== null) closeSync(file);
    } catch {
      // Some file systems write only now.
      this.#lost = true;
    }
  }

  #append(chunk: Uint8Array): void {
    this.#written += chunk.length;
    if (this.#lost) return;
    try {
      if (this.#file === null) {
        mkdirSync(path.dirname(this.path), { recursive: true });
        this.#file = openSync(this.path, "a");
      }
      writeSync(this.#file, chunk);
    } catch {
      this.#lost = true;
    }
  }

  #keepTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (let first = this.#tail[0]; first !== undefined; first = this.#tail[0]) {
      if (this.#tailBytes - first.length < TAIL_BYTES) break;
      this.#tailBytes -= first.length;
      this.#tail.shift();
    }
  }
}

/**
 * The last lines of a log; none if nothing was printed. If an `Error` ended a task module, the log has its stack. This
 * is left out, because lq reports the message anyway. The stack of a TypeError and the like stays; it is useful.
 */
export function tailOf(file: string, error?: string): readonly string[] {
  const text = textFrom(file, Math.max(0, sizeOf(file) - TAIL_BYTES));
  const stack = error === undefined ? -1 : `\n${text}`.lastIndexOf(`\nError: ${error}\n    at `);
  const lines = text
    .slice(0, stack < 0 ? undefined : stack)
    .trimEnd()
    .split("\n");
  return lines.length === 1 && lines[0] === "" ? [] : lines.slice(-TAIL_LINES);
}

/** The text of a log after a number of bytes. */
export function textFrom(file: string, start: number): string {
  const buffer = Buffer.alloc(Math.max(0, sizeOf(file) - start));
  if (buffer.length === 0) return "";
  const descriptor = openSync(file, "r");
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    return buffer.subarray(0, length).toString("utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes; 0 when nothing was printed. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
