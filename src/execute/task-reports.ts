/**
 * Handles the reports of a running task: its progress, and its metrics at each step. lq stores the metrics beside the
 * log. Reports do not count for keys.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Reason } from "../model/freshness.ts";

/** Above this number of points, lq drops every second one, repeatedly if needed. */
const MOST_POINTS = 10_000;

/** Milliseconds between two events of one kind. */
const INTERVAL = 100;

interface Numbers {
  readonly [name: string]: number;
}

/** The events of a build (src/report/events.ts) that come from a task that runs. */
export type TaskEvent =
  | {
      readonly type: "start";
      readonly task: string;
      readonly reasons: readonly Reason[];
      readonly devices: readonly string[];
      /** What it runs, with the project's paths; left out for a module. */
      readonly command?: string;
      readonly job?: string;
      readonly node?: string;
    }
  /** A batch system has the task in its queue. */
  | { readonly type: "queued"; readonly task: string; readonly job: string }
  | { readonly type: "progress"; readonly task: string; readonly fraction: number; readonly note?: string }
  /** Numbers of one step of a task, a few times a second at most; the file beside its log has all. */
  | { readonly type: "metrics"; readonly task: string; readonly step: number; readonly values: Numbers }
  /** An attempt failed, and another one follows. */
  | {
      readonly type: "retry";
      readonly task: string;
      /** Number of the attempt that follows: 2 for the second. */
      readonly attempt: number;
      readonly error: string;
      /** The device's memory was not enough: the next attempt has the whole device. */
      readonly wholeDevice: boolean;
      readonly job?: string;
      readonly node?: string;
    };

export class TaskReports {
  readonly #task: string;
  /** Absolute path. */
  readonly #file: string;
  readonly #emit: (event: TaskEvent) => void;
  #lines: string[] = [];
  /** Keep one of every `#stride` points. */
  #stride = 1;
  #seen = 0;
  #fraction = 0;
  #hasNote = false;
  #told = -Infinity;
  #pending: TaskEvent | null = null;

  /**
   * @param file absolute path of the metrics file
   * @param goesOn whether the metrics of earlier attempts stay
   */
  constructor(task: string, file: string, goesOn: boolean, emit: (event: TaskEvent) => void) {
    this.#task = task;
    this.#file = file;
    this.#emit = emit;
    if (existsSync(file)) {
      if (goesOn) this.#lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
      else rmSync(file);
    }
    this.#seen = this.#lines.length;
  }

  progress(fraction: number, note?: string): void {
    this.#fraction = Math.min(1, Math.max(0, fraction));
    this.#hasNote ||= note !== undefined;
    this.#emit({
      type: "progress",
      task: this.#task,
      fraction: this.#fraction,
      ...(note === undefined ? {} : { note }),
    });
  }

  metrics(step: number, values: Numbers): void {
    if (this.#seen++ % this.#stride === 0) this.#keep(JSON.stringify({ step, ...values }));
    const event: TaskEvent = { type: "metrics", task: this.#task, step, values };
    const now = performance.now();
    if (now - this.#told < INTERVAL) {
      this.#pending = event;
      return;
    }
    this.#told = now;
    this.#pending = null;
    this.#emit(event);
  }

  /** Uses the last line that a task printed as its note, until the task itself gives a note. */
  printed(chunk: Buffer): void {
    const now = performance.now();
    if (this.#hasNote || now - this.#told < INTERVAL) return;
    const line = chunk
      .toString("utf8")
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim();
    if (!line) return;
    this.#told = now;
    this.#emit({ type: "progress", task: this.#task, fraction: this.#fraction, note: line.slice(0, 200) });
  }

  /** Takes a line of the file LQ_METRICS; ignores lines of another form. */
  line(text: string): void {
    const value = parse(text);
    if (value === null) return;
    const { progress, note, step, ...rest } = value;
    if (typeof progress === "number" || typeof note === "string")
      this.progress(
        typeof progress === "number" ? progress : this.#fraction,
        typeof note === "string" ? note : undefined,
      );
    const numbers = Object.entries(rest).filter(
      (each): each is [string, number] => typeof each[1] === "number",
    );
    if (typeof step === "number") this.metrics(step, Object.fromEntries(numbers));
  }

  /** Call this when the attempt is over. */
  close(): void {
    if (this.#pending !== null) this.#emit(this.#pending);
    this.#pending = null;
  }

  #keep(line: string): void {
    try {
      this.#lines.push(line);
      if (this.#lines.length <= MOST_POINTS) {
        mkdirSync(dirname(this.#file), { recursive: true });
        return appendFileSync(this.#file, `${line}\n`);
      }
      this.#lines = this.#lines.filter((_, i) => i % 2 === 0);
      this.#stride *= 2;
      writeFileSync(this.#file, this.#lines.map((each) => `${each}\n`).join(""));
    } catch {
      // A full disk must not make a task fail, as with its log.
    }
  }
}

function parse(text: string): { readonly [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
