/**
 * Runs tasks as jobs of a batch system. The result files of the jobs are the truth. The system is asked only whether
 * jobs died, rarely, and in one question for all.
 */
import type { TaskEvent } from "../execute/task-reports.ts";
import type { RunResult, TaskRun, TaskRunner } from "../execute/task-run.ts";
import type { Recorder } from "../record/record.ts";
import type { Session } from "../session/session.ts";
import { randomBytes } from "node:crypto";
import { Alarm } from "./alarm.ts";
import { Board, Ticket, type Element } from "./board.ts";
import { Canceller } from "./canceller.ts";
import { Collector } from "./collector.ts";
import { JobsFolder } from "./jobs-folder.ts";
import { loadBatches } from "./load-batches.ts";
import { Poller } from "./poller.ts";
import { Submitter } from "./submitter.ts";
import type { BatchSystem, JobRequest } from "./system.ts";
import type { Task } from "../model/model.ts";

export interface DriverParts {
  readonly session: Session;
  readonly recorder: Recorder;
  readonly system: BatchSystem;
  /** As users know the system: "Slurm". */
  readonly systemName: string;
  /** Program and first arguments of a job's process. */
  readonly command: readonly string[];
  readonly requestOf: (task: Task) => JobRequest;
  /** Bytes to which the memory of a task that was killed for memory may grow; 0: no limit. */
  readonly mostMemoryOf: (task: Task) => number;
  /** Jobs that are queued or running at once. */
  readonly jobs: number;
  /** Seconds of a pack. */
  readonly pack: number;
  /** The least time between two questions to the system, in seconds. */
  readonly poll: number;
  readonly notice: (text: string, level?: "info" | "warning") => void;
  readonly program: string;
}

/** The driver as its parts see it. */
export interface Driver extends DriverParts {
  readonly board: Board;
  readonly folder: JobsFolder;
  /** Looks at once for results and for what has to be asked. */
  readonly wake: () => void;
  /** Reports that the system does not answer, or that it does again. @returns milliseconds until the next try */
  readonly away: (why: string | null) => number;
}

/** Milliseconds between two looks at the results, at first and when nothing happens. */
const LOOK_FIRST = 100;
const LOOK_LAST = 1000;
/** Milliseconds between two tries while the system does not answer. */
const AWAY_FIRST = 2000;
const AWAY_LAST = 60_000;

export class BatchDriver implements TaskRunner {
  readonly #driver: Driver;
  readonly #collector: Collector;
  readonly #submitter: Submitter;
  readonly #poller: Poller;
  readonly #canceller: Canceller;
  readonly #looks = new Alarm();
  readonly #asks = new Alarm();
  #loops: Promise<unknown> | null = null;
  #closed = false;
  #away = 0;
  /** Whether the build ended in a way that leaves its jobs to the next one. */
  #leaves = false;
  /** Called when what tasks wait for changes. */
  onChange: () => void = () => undefined;
  /** What tasks wait for. */
  waiting: readonly string[] = [];

  constructor(parts: DriverParts) {
    const { root } = parts.session;
    this.#driver = {
      ...parts,
      board: new Board(),
      folder: new JobsFolder(root),
      wake: () => {
        this.#looks.ring();
        this.#asks.ring();
      },
      away: (why) => this.#tellAway(why),
    };
    this.#driver.folder.make();
    this.#collector = new Collector(this.#driver);
    this.#submitter = new Submitter(this.#driver);
    this.#canceller = new Canceller(this.#driver);
    this.#poller = new Poller(this.#driver, this.#collector);
  }

  /** Takes over the jobs of earlier builds. @param keyOf the key that this build wants of a task; null: it may be any */
  async adopt(covers: (task: string) => boolean, keyOf: (task: string) => string | null): Promise<void> {
    const { board, folder, notice } = this.#driver;
    loadBatches(board, folder);
    if (board.live.length === 0) return;
    await this.#poller.poll();
    for (const element of board.live)
      for (const ticket of element.left) {
        const key = covers(ticket.task) ? keyOf(ticket.task) : null;
        if (key === null || key === ticket.key) continue;
        notice(`job ${element.job} of ${ticket.task} is cancelled, because the task's key has changed`);
        this.#canceller.withdraw(ticket);
      }
    this.#start();
  }

  run(run: TaskRun, emit: (event: TaskEvent) => void): Promise<RunResult> {
    const { board } = this.#driver;
    const { task, key, signal } = run;
    return new Promise((settle, fail) => {
      let ticket = board.ofTask(task.id);
      if (ticket !== undefined && (ticket.key !== key || ticket.cancelling || ticket.wanted !== null)) {
        this.#canceller.withdraw(ticket);
        ticket = undefined;
      }
      const wanted = { run, emit, settle, fail };
      if (ticket === undefined) {
        ticket = new Ticket(`${key.slice(0, 16)}-${randomBytes(4).toString("hex")}`, task.id, key);
        ticket.wanted = wanted;
        board.add(ticket);
        board.waiting.add(ticket);
      } else {
        ticket.wanted = wanted;
        this.#collector.tellAttached(ticket);
      }
      const own = ticket;
      const abort = (): void => this.#abort(own, signal);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      this.#start();
      this.#driver.wake();
    });
  }

  /** Nothing new starts. What runs goes on. */
  stop(): void {
    const { board } = this.#driver;
    for (const ticket of [...board.waiting, ...board.live.flatMap(({ left }) => left)])
      if (ticket.wanted !== null && !ticket.cancelling) this.#canceller.skip(ticket);
  }

  /** Removes what is over, and says what goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#driver.wake();
    // An error in them has ended the build already.
    await this.#loops?.catch(() => undefined);
    await this.#canceller.work();
    const { board, folder, notice } = this.#driver;
    for (const batch of board.batches)
      if (batch.elements.every(({ over }) => over))
        folder.removeSubmission(
          batch.name,
          batch.tickets.map(({ id }) => id),
        );
    if (this.#leaves && board.live.length > 0)
      notice(`${jobs(board.live)} on; the next lq build takes them over, lq jobs --cancel ends them`);
  }

  #abort(ticket: Ticket, signal: AbortSignal): void {
    if (ticket.done) return;
    if (isPreempted(signal.reason)) {
      this.#leaves = true;
      this.#driver.board.waiting.delete(ticket);
      ticket.leave({ kind: "cancelled" });
    } else this.#canceller.cancel(ticket);
    this.#driver.wake();
  }

  #start(): void {
    this.#loops ??= Promise.all([this.#lookLoop(), this.#askLoop()]);
    this.#loops.catch((error: unknown) => this.#fail(error));
  }

  async #lookLoop(): Promise<void> {
    let pause = LOOK_FIRST;
    while (!this.#closed) {
      const found = this.#collector.collect();
      pause = found ? LOOK_FIRST : Math.min(LOOK_LAST, pause * 1.5);
      if (found) this.#asks.ring();
      await this.#looks.wait(pause);
    }
  }

  async #askLoop(): Promise<void> {
    while (!this.#closed) {
      const pauses = [
        await this.#canceller.work(),
        this.#leaves ? Infinity : await this.#submitter.work(),
        await this.#poller.work(this.#canceller.busy),
      ];
      this.#tellWaiting();
      await this.#asks.wait(Math.min(...pauses));
    }
  }

  #tellWaiting(): void {
    const waiting = [...this.#driver.board.reasons];
    if (this.#away > 0) waiting.push(`${this.#driver.systemName} does not answer`);
    if (waiting.join() === this.waiting.join()) return;
    this.waiting = waiting;
    this.onChange();
  }

  #tellAway(why: string | null): number {
    if (why === null) return (this.#away = 0);
    const { systemName, notice } = this.#driver;
    if (this.#away === 0)
      notice(`${systemName} does not answer (${why}): lq waits; jobs that run are not affected`, "warning");
    this.#away = Math.min(AWAY_LAST, Math.max(AWAY_FIRST, this.#away * 2));
    return this.#away;
  }

  #fail(error: unknown): void {
    const { board } = this.#driver;
    this.#closed = true;
    for (const { wanted } of board.tickets.values()) wanted?.fail(error);
  }
}

function isPreempted(reason: unknown): boolean {
  // By name: this file and the command line may each have a copy of the class.
  return reason instanceof Error && reason.name === "Preempted";
}

function jobs(elements: readonly Element[]): string {
  return elements.length === 1 ? "1 job goes" : `${elements.length} jobs go`;
}
