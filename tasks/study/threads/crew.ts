/**
 * Threads that share the loops over the large arrays of one case. A job is plain data that names the arrays and the
 * part of them to compute. The arrays are shared memory, so results need no copy. A result does not depend on how the
 * work was split, so the bytes are the same for any number of threads.
 */
import { Worker } from "node:worker_threads";
import type { TypedArray } from "../arrays.ts";

export interface Crew<Job> {
  /** Greatest number of threads. */
  readonly threads: number;
  /**
   * Does all jobs, in any order and several at once. The first call with more than one job starts the threads.
   * @throws the error of a job; after that the crew can only be closed
   */
  work(jobs: readonly Job[]): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** Makes a crew. `url` is an import `…?thread` of a module that calls `serve` with the same `perform`. */
export function crewOf<Job>(url: string, perform: (job: Job) => void, threads: number): Crew<Job> {
  let workers: Worker[] = [];
  return {
    threads,
    async work(jobs) {
      if (threads === 1 || jobs.length < 2) {
        jobs.forEach(perform);
        return;
      }
      if (workers.length === 0) workers = Array.from({ length: threads }, () => start(url));
      const left = [...jobs];
      await Promise.all(workers.map((worker) => workOff(worker, left)));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
      workers = [];
    },
  };
}

function start(url: string): Worker {
  const worker = new Worker(new URL(url));
  worker.unref();
  return worker;
}

/** Gives the worker one job after another until none is left. */
function workOff(worker: Worker, left: unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const exited = () => reject(new Error("a thread ended before its work was done"));
    const settle = (end: () => void) => {
      worker.off("message", next).off("error", failed).off("exit", exited).unref();
      end();
    };
    const failed = (error: Error) => settle(() => reject(error));
    const next = () => {
      const job = left.shift();
      if (job === undefined) settle(resolve);
      else worker.postMessage(job);
    };
    worker.on("message", next).once("error", failed).once("exit", exited).ref();
    next();
  });
}

interface ArrayType<T extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer): T;
}

/** Zeros that threads can share. */
export function sharedArray<T extends TypedArray>(type: ArrayType<T>, length: number): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));
}

/** The values in shared memory: the array itself if it is shared already, otherwise a copy. */
export function shared<T extends TypedArray>(values: T): T {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = sharedArray(values.constructor as unknown as ArrayType<T>, values.length);
  copy.set(values);
  return copy;
}

/** Splits 0 … length - 1 into at most `count` ranges [first, end) of about equal length. */
export function parts(length: number, count: number): { readonly first: number; readonly end: number }[] {
  const most = Math.min(length, count);
  const edge = (i: number) => Math.round((i * length) / most);
  return Array.from({ length: most }, (_, i) => ({ first: edge(i), end: edge(i + 1) }));
}
