/** The file of the state log: read whole, appended to, rewritten. */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { frame } from "./frames.ts";

export function readLog(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
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
