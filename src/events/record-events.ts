/**
 * Writes the events of a running build to cache/events/BUILD.jsonl, for people who watch it.
 *
 * lq makes the file with the first task that is not fresh, so a build with nothing to do leaves none. lq bases no
 * decision on it, and a build goes on if its file cannot be written. Readers poll the file, because notification does
 * not work on file servers.
 */
import { appendFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../files/make-folder.ts";
import { buildFile, numberedFiles } from "../history/build-files.ts";
import { EVENTS } from "../model/layout.ts";
import type { Event, Listener } from "../report/events.ts";
import { ruleOf } from "../model/task-id.ts";
import { thisProcess } from "../system/process-identity.ts";
import { EVENTS_VERSION, type BuildHead, type EventLine } from "./event-lines.ts";

/** How many files lq keeps, with the file of the running build. */
const KEPT = 5;
/** Milliseconds after which lq writes the collected lines. */
const FLUSH_MS = 250;
/** Milliseconds between two "alive" lines. */
const ALIVE_MS = 5_000;
/** Milliseconds between two progress lines of one task. */
const PROGRESS_MS = 1_000;

export interface EventsRequest {
  readonly root: string;
  readonly targets: readonly string[];
  readonly flags: readonly string[];
  /** Gives the build's number. */
  readonly number: () => number;
  /** Called once if the file cannot be written. */
  readonly warn: (text: string) => void;
}

export class EventRecorder {
  readonly #request: EventsRequest;
  #file: string | null = null;
  #broken = false;
  #lines: string[] = [];
  #flushed = 0;
  #timers: NodeJS.Timeout[] = [];
  /** The "plan" and "notice" events before there was a file. */
  readonly #early: EventLine[] = [];
  readonly #fresh = new Map<string, number>();
  readonly #untold = new Set<string>();
  readonly #progress = new Map<string, number>();

  constructor(request: EventsRequest) {
    this.#request = request;
  }

  readonly listener: Listener = (event) => {
    if (this.#broken) return;
    const at = Date.now();
    if (event.type === "task" && event.outcome === "fresh") return this.#addFresh(ruleOf(event.task));
    if (event.type === "progress" && this.#isTooSoon(event.task, at)) return;
    // Leave out metrics: the file beside the task's log has them.
    if (event.type === "metrics") return;
    if (event.type === "summary") return this.#end({ ...event, at });
    const line = { ...event, at };
    if (this.#file !== null || opens(event)) this.#write(line);
    else this.#early.push(line);
  };

  /** Call this when the build ends with an error, without a summary. */
  fail(message: string): void {
    this.#end({ type: "error", message, at: Date.now() });
  }

  #end(line: EventLine): void {
    if (this.#file === null) return;
    this.#write(line);
    this.#flush();
    for (const timer of this.#timers) clearInterval(timer);
  }

  #addFresh(rule: string): void {
    this.#fresh.set(rule, (this.#fresh.get(rule) ?? 0) + 1);
    this.#untold.add(rule);
  }

  #isTooSoon(task: string, at: number): boolean {
    if (at - (this.#progress.get(task) ?? 0) < PROGRESS_MS) return true;
    this.#progress.set(task, at);
    return false;
  }

  #write(line: EventLine): void {
    if (this.#file === null) this.#open(line.at);
    if (line.type === "task") this.#progress.delete(line.task);
    this.#lines.push(JSON.stringify(line));
    if (line.at - this.#flushed >= FLUSH_MS) this.#flush();
  }

  #open(at: number): void {
    const { root, targets, flags, number } = this.#request;
    const build = number();
    const head: BuildHead = {
      type: "build",
      version: EVENTS_VERSION,
      build,
      at,
      user: userName(),
      host: hostname(),
      targets,
      flags,
      ...thisProcess(),
    };
    this.#attempt(() => {
      const folder = join(root, EVENTS);
      makeFolder(folder);
      const old = numberedFiles(readdirSync(folder)).filter((each) => each !== build);
      for (const each of old.slice(0, Math.max(0, old.length - KEPT + 1)))
        rmSync(join(folder, buildFile(each)), { force: true });
      this.#file = join(folder, buildFile(build));
      writeFileSync(this.#file, `${JSON.stringify(head)}\n`);
    });
    for (const early of this.#early.splice(0)) this.#lines.push(JSON.stringify(early));
    const alive = (): void => this.#write({ type: "alive", at: Date.now() });
    this.#timers = [setInterval(() => this.#flush(), FLUSH_MS), setInterval(alive, ALIVE_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  #flush(): void {
    const at = Date.now();
    this.#flushed = at;
    for (const rule of this.#untold)
      this.#lines.push(JSON.stringify({ type: "fresh", rule, tasks: this.#fresh.get(rule), at }));
    this.#untold.clear();
    const lines = this.#lines.splice(0);
    const file = this.#file;
    if (lines.length === 0 || file === null) return;
    this.#attempt(() => appendFileSync(file, `${lines.join("\n")}\n`));
  }

  #attempt(write: () => void): void {
    if (this.#broken) return;
    try {
      write();
    } catch (error) {
      this.#broken = true;
      for (const timer of this.#timers) clearInterval(timer);
      this.#request.warn(
        `nobody can watch this build: its events cannot be written: ${(error as Error).message}`,
      );
    }
  }
}

/** Whether the event shows that the build has something to do. */
function opens(event: Event): boolean {
  if (event.type === "task") return event.outcome !== "fresh" && event.outcome !== "skipped";
  return event.type === "start" || event.type === "waiting";
}

/** The user's name, or the number of a user that the system does not list, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}
