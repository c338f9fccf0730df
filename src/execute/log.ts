/**
 * Writes the output of one attempt to a file, which it makes with the first byte. It keeps only the head and the tail
 * of a long output. A task does not fail when its log cannot be written (the disk is full); then the rest of the log is
 * lost.
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

  /** Appends to the file. Remove the log of an earlier run first. */
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
      // Some file systems report a failed write only at `close`.
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
 * The last lines of a log; none if the task printed nothing. If an `Error` ended a task module, the log has its stack.
 * The result leaves it out, because lq reports the message anyway. It keeps the stack of a TypeError and the like,
 * which helps to find the mistake.
 */
export function tailOf(file: string, error?: string): readonly string[] {
  const text = textFrom(file, Math.max(0, sizeOf(file) - TAIL_BYTES));
  const stack = error === undefined ? -1 : `\n${text}`.lastIndexOf(`\nError: ${error}\n    at `);
  const lines = text
    .slice(0, stack < 0 ? undefined : stack)
    .trimEnd()
    .split("\n")
    .map(lastOverwrite);
  return lines.length === 1 && lines[0] === "" ? [] : lines.slice(-TAIL_LINES);
}

/**
 * What to show of the log of a failed task.
 * @param log project path
 */
export function printed(
  root: string,
  log: string,
  error: string,
): { readonly tail: readonly string[]; readonly log?: string } {
  const file = path.join(root, log);
  return { tail: tailOf(file, error), ...(sizeOf(file) > 0 && { log }) };
}

/** What a terminal would show of a line: a progress bar returns to the start of its line and writes over it. */
function lastOverwrite(line: string): string {
  const trimmed = line.replace(/\r+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}

/** The text of a log from a byte offset to its end. */
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

/** Size in bytes; 0 if there is no log. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
