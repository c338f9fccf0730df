/**
 * Threads that share the loops over one case's large arrays. A job is plain data that says which part of which
 * arrays to work out; the arrays are shared memory, in which results appear. What a job writes does not depend on how
 * the work was cut, so the bytes are the same for any number of threads.
 */
import { Worker } from "node:worker_threads";
import type { TypedArray } from "../arrays.ts";

export interface Crew<Job> {
  /** How many threads there may be. */
  readonly threads: number;
  /**
   * Has every job done, in any order and several at once. The first call that finds more than one starts the threads.
   * @throws what a job throws; the crew is then good for nothing but to be closed.
   */
  work(jobs: readonly Job[]): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** `url` is an import `…?thread` of a module that calls `serve` with the same `perform`. */
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

/** Gives the worker one job after the other until none is left. */
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

/** The values where threads can share them: the array itself if it is shared already, else a copy. */
export function shared<T extends TypedArray>(values: T): T {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = sharedArray(values.constructor as unknown as ArrayType<T>, values.length);
  copy.set(values);
  return copy;
}

/** 0 … length - 1 as about equal parts [first, end), `count` of them or fewer. */
export function parts(length: number, count: number): { readonly first: number; readonly end: number }[] {
  const most = Math.min(length, count);
  const edge = (i: number) => Math.round((i * length) / most);
  return Array.from({ length: most }, (_, i) => ({ first: edge(i), end: edge(i + 1) }));
}
