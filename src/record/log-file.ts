/** The file of the state log: read whole, appended to, rewritten. */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { frame, FRAME_HEADER, frameLength } from "./frames.ts";

/** @param from reads the rest from an offset on */
export function readLog(file: string, from = 0): Buffer {
  try {
    return from === 0 ? readFileSync(file) : readRest(file, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

function readRest(file: string, from: number): Buffer {
  const handle = openSync(file, "r");
  try {
    const rest = Buffer.alloc(Math.max(0, fstatSync(handle).size - from));
    return rest.subarray(0, readSync(handle, rest, 0, rest.length, from));
  } finally {
    closeSync(handle);
  }
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

/** Most frames are smaller. */
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

/** Puts a log of these frames in the place of the one there. */
export function rewriteLog(file: string, frames: readonly Buffer[]): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, Buffer.concat(frames));
  renameSync(temporary, file);
}

export class LogAppender {
  readonly #handle: number;
  #pending: Buffer[] = [];

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.#handle = openSync(file, "a");
  }

  /** Goes to the system with the next flush. */
  gather(payload: Buffer): void {
    this.#pending.push(frame(payload));
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
