/** Reads the events of the newest build as its file grows. It reads only whole lines. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { ifThere } from "../files/network-files.ts";
import { buildFile, buildNumbers } from "../history/build-files.ts";
import { EVENTS } from "../model/layout.ts";
import { isHere, mayBeAlive } from "../system/process-identity.ts";
import { BuildHead, isEnd, type EventLine } from "./event-lines.ts";

/** After this many milliseconds without a line, lq no longer says that a build is running. */
export const SILENT_MS = 30_000;
/** Bytes to read at once. */
const PIECE = 1 << 20;

/** A build without an end in its file is "cut short" if its process is gone, and "silent" if no line comes any more. */
export type BuildState = "running" | "ended" | "cut short" | "silent";

export interface Followed {
  readonly head: BuildHead;
  readonly lines: readonly EventLine[];
}

/** Follows one build from the first line of its file. */
export class EventFile {
  readonly #file: string;
  #place = 0;
  #rest = Buffer.alloc(0);
  #head: BuildHead | null = null;
  #heard = 0;
  #ended = false;

  constructor(root: string, build: number) {
    this.#file = join(root, EVENTS, buildFile(build));
  }

  /** Null: the file cannot be read, or another version of lq wrote it. */
  get head(): BuildHead | null {
    return this.#head;
  }

  /** When the build wrote its last line, by the clock of the file system. */
  get heard(): number {
    return this.#heard;
  }

  /** @returns the events since the last call */
  read(): readonly EventLine[] {
    const lines: EventLine[] = [];
    for (const text of this.#newLines()) {
      const line = parse(text);
      if (line === null) continue;
      if (this.#head === null) {
        const head = BuildHead.safeParse(line).data;
        if (head === undefined) return [];
        this.#head = head;
      } else if ("type" in line) {
        lines.push(line as EventLine);
        this.#ended ||= isEnd(line as EventLine);
      }
    }
    return lines;
  }

  state(now = Date.now()): BuildState {
    if (this.#ended || this.#head === null) return "ended";
    if (isHere(this.#head)) return mayBeAlive(this.#head) ? this.#byLife(now) : "cut short";
    return this.#byLife(now);
  }

  #byLife(now: number): BuildState {
    return now - this.#heard > SILENT_MS ? "silent" : "running";
  }

  *#newLines(): Generator<string> {
    const file = ifThere(() => openSync(this.#file, "r"));
    if (file === null) return;
    try {
      const { size, mtimeMs } = fstatSync(file);
      this.#heard = mtimeMs;
      const piece = Buffer.alloc(Math.min(PIECE, Math.max(0, size - this.#place)));
      while (this.#place < size) {
        const length = readSync(file, piece, 0, piece.length, this.#place);
        if (length === 0) return;
        this.#place += length;
        const known = Buffer.concat([this.#rest, piece.subarray(0, length)]);
        const end = known.lastIndexOf(10) + 1;
        this.#rest = known.subarray(end);
        if (end > 0) yield* known.toString("utf8", 0, end - 1).split("\n");
      }
    } finally {
      closeSync(file);
    }
  }
}

/** The number of the newest build that has events; null if none has. */
export function newestEvents(root: string): number | null {
  return buildNumbers(join(root, EVENTS)).at(-1) ?? null;
}

/** Ignores a line that is not JSON, as after a full disk. */
function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
