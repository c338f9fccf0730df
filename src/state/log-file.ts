/** Reads the file of the state log, appends to it, and rewrites it. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../files/make-folder.ts";
import { ifThere } from "../files/network-files.ts";
import { frame, FRAME_HEADER, frameLength } from "./frames.ts";
import { replaceFile } from "../files/replace-file.ts";

export function readLog(file: string): Buffer {
  return ifThere(() => readFileSync(file)) ?? Buffer.alloc(0);
}

/**
 * The frames whose payloads begin at these places, one after the other.
 * @returns null if one is not there
 */
export function readFrames(file: string, starts: readonly number[]): Buffer | null {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return null;
  }
  try {
    const frames = starts.map((start) => readFrame(handle, start - FRAME_HEADER));
    return frames.every((each) => each !== null) ? Buffer.concat(frames) : null;
  } finally {
    closeSync(handle);
  }
}

/** Bytes to read at first. Most frames are smaller. */
const COMMON = 1024;

function readFrame(handle: number, at: number): Buffer | null {
  const first = Buffer.allocUnsafe(COMMON);
  const have = readSync(handle, first, 0, COMMON, at);
  const length = frameLength(first.subarray(0, have), 0);
  if (length <= have) return length === 0 ? null : first.subarray(0, length);
  if (at + length > fstatSync(handle).size) return null;
  const whole = Buffer.allocUnsafe(length);
  return readSync(handle, whole, 0, length, at) === length ? whole : null;
}

/** Replaces the log by a log of these frames. */
export function rewriteLog(file: string, frames: readonly Buffer[]): void {
  replaceFile(file, Buffer.concat(frames));
}

export class LogAppender {
  readonly #handle: number;
  #pending: Buffer[] = [];
  /** The end of the log after all pending frames are written. */
  #end: number;

  /** The log must have no other writer. */
  constructor(file: string) {
    makeFolder(dirname(file));
    this.#handle = openSync(file, "a");
    this.#end = fstatSync(this.#handle).size;
  }

  /**
   * Adds a frame, which the next flush writes.
   * @returns the offset that the payload then has in the log
   */
  gather(payload: Buffer): number {
    const framed = frame(payload);
    this.#pending.push(framed);
    this.#end += framed.length;
    return this.#end - payload.length;
  }

  flush(): void {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    for (let at = 0; at < bytes.length;) at += writeSync(this.#handle, bytes, at);
  }

  close(): void {
    this.flush();
    closeSync(this.#handle);
  }
}
