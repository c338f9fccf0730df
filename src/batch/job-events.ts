/** What a job reports while it runs: lines that it appends to a file, and that the driver reads. */
import { appendFileSync, closeSync, openSync, readSync } from "node:fs";
import type { TaskEvent } from "../execute/task-reports.ts";
import { ifThere } from "../files/network-files.ts";

export type JobEvent =
  /** A task starts. */
  | {
      readonly type: "started";
      readonly ticket: string;
      readonly node: string;
      readonly devices: readonly string[];
    }
  | { readonly type: "task"; readonly ticket: string; readonly event: TaskEvent }
  /** The job starts no more task. */
  | { readonly type: "end" };

export class EventWriter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  readonly write = (event: JobEvent): void => {
    try {
      appendFileSync(this.#file, `${JSON.stringify(event)}\n`);
    } catch {
      // Only the display depends on events. The folder is gone when the driver has all that it needs.
    }
  };
}

const CHUNK = 1 << 16;

export class EventReader {
  readonly #file: string;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.#file = file;
  }

  /** The events since the last call. */
  read(): readonly JobEvent[] {
    const descriptor = ifThere(() => openSync(this.#file, "r"));
    if (descriptor === null) return [];
    const chunks = [this.#rest];
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafe(CHUNK);
        const length = readSync(descriptor, buffer, 0, CHUNK, this.#position);
        if (length === 0) break;
        this.#position += length;
        chunks.push(buffer.subarray(0, length));
      }
    } finally {
      closeSync(descriptor);
    }
    const bytes = Buffer.concat(chunks);
    const end = bytes.lastIndexOf(10) + 1;
    this.#rest = bytes.subarray(end);
    return bytes
      .subarray(0, end)
      .toString("utf8")
      .split("\n")
      .flatMap((line) => parse(line) ?? []);
  }
}

function parse(line: string): JobEvent | null {
  try {
    return JSON.parse(line) as JobEvent;
  } catch {
    return null;
  }
}
