/**
 * Hashes in threads, on all cores, so that the event loop stays free. Threads start when they are first needed and then
 * stay. They do not keep the process alive.
 *
 * We rejected streams into `crypto.createHash`: its `update` runs in the calling thread, which should start tasks, and
 * uses one core only. We rejected WebCrypto: it has its own threads, but needs the whole file in memory.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { entryPoint } from "../system/entry-points.ts";
import { UserError } from "../model/errors.ts";
import type { End, FromThread, Named } from "./hash-thread.ts";
import type { Hashed } from "./hash.ts";

/** The largest number of threads. No disk is faster with more. */
export const THREADS = Math.min(8, availableParallelism());

export interface BesideOptions {
  /** Called with the bytes of large files as they are read. */
  readonly progress?: (path: string, bytes: number) => void;
  /** Ends the hashing. */
  readonly signal?: AbortSignal | undefined;
}

interface Job {
  readonly files: readonly Named[];
  readonly progress: ((path: string, bytes: number) => void) | undefined;
  readonly resolve: (ends: readonly End[]) => void;
  readonly reject: (error: unknown) => void;
}

const waiting: Job[] = [];
const running = new Map<Worker, Job>();
const idle: Worker[] = [];
let threads = 0;

/**
 * @returns one result for each file; an error (a UserError, or whatever was thrown) for one that cannot be hashed
 * @throws the signal's reason when it aborts
 */
export async function hashBeside(
  files: readonly Named[],
  { progress, signal }: BesideOptions = {},
): Promise<readonly (Hashed | Error)[]> {
  signal?.throwIfAborted();
  let abort = (): void => undefined;
  const ended = new Promise<readonly End[]>((resolve, reject) => {
    const job = { files, progress, resolve, reject };
    abort = () => drop(job, signal?.reason);
    signal?.addEventListener("abort", abort);
    waiting.push(job);
    assign();
  });
  const ends = await ended.finally(() => signal?.removeEventListener("abort", abort));
  return ends.map((end) => {
    if ("digest" in end) return end;
    if ("diagnostics" in end) return new UserError(end.diagnostics);
    return end.error instanceof Error ? end.error : new Error(String(end.error));
  });
}

/** Gives the next job to a thread, if one is free or may be started. */
function assign(): void {
  if (idle.length > 0) return begin();
  if (threads === THREADS) return;
  threads += 1;
  start().then(begin, (error: unknown) => {
    threads -= 1;
    waiting.shift()?.reject(error);
  });
}

function begin(): void {
  const thread = idle.pop();
  if (thread === undefined) return;
  const job = waiting.shift();
  if (job === undefined) return void idle.push(thread);
  running.set(thread, job);
  thread.ref();
  thread.postMessage(job.files);
}

async function start(): Promise<void> {
  const thread = new Worker(await entryPoint("hash-thread"));
  thread.unref();
  thread.on("message", (message: FromThread) => {
    const job = running.get(thread);
    if (job === undefined) return;
    if (message.type === "progress") return job.progress?.(message.path, message.bytes);
    running.delete(thread);
    thread.unref();
    idle.push(thread);
    job.resolve(message.ends);
    assign();
  });
  thread.once("error", (error) => running.get(thread)?.reject(error));
  thread.once("exit", (code) => {
    threads -= 1;
    running.get(thread)?.reject(new Error(`a thread that hashes ended with code ${code}`));
    running.delete(thread);
    idle.splice(0, idle.length, ...idle.filter((other) => other !== thread));
    if (waiting.length > 0) assign();
  });
  idle.push(thread);
}

/** Terminates the job's thread, because nothing else can stop it in the middle of a file. */
function drop(job: Job, reason: unknown): void {
  job.reject(reason);
  if (waiting.includes(job)) waiting.splice(waiting.indexOf(job), 1);
  for (const [thread, its] of running) {
    if (its !== job) continue;
    running.delete(thread);
    void thread.terminate();
  }
}
