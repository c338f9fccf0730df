/** One run of a task to its end, wherever it runs: what it gets, what it reports meanwhile, and how it ends. */
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Reason } from "../model/freshness.ts";
import type { Task } from "../model/model.ts";
import type { Grant } from "../schedule/slots.ts";
import type { TaskEvent } from "./task-reports.ts";

export interface TaskRun {
  readonly task: Task;
  readonly key: string;
  readonly recipe: Recipe;
  readonly reasons: readonly Reason[];
  readonly grant: Grant;
  /** Attempts before this one; the last of them ran out of device memory. */
  readonly attempts: number;
  /** Among tasks that wait, the one with the highest priority starts first. */
  readonly priority: number;
  readonly signal: AbortSignal;
  /** Gives the grant back. */
  readonly release: () => void;
}

export type Unfinished =
  | { readonly kind: "cancelled" }
  /** It had not started when the build ended. */
  | { readonly kind: "skipped" }
  /** Its share of a device's memory was too small. It runs again with the whole device. */
  | { readonly kind: "out-of-device-memory"; readonly attempts: number }
  /** Inputs changed while it ran, so its result is dropped. */
  | { readonly kind: "inputs-changed"; readonly paths: readonly string[] };

export interface Failed {
  readonly kind: "failed";
  readonly error: string;
}

/** Where a batch system ran it. */
export interface JobFacts {
  readonly job?: string;
  readonly node?: string;
  /** Seconds that it waited in the queue. */
  readonly queued?: number;
  /** Seconds of the run itself. Left out: it began when the runner was called. */
  readonly seconds?: number;
}

export type RunResult = JobFacts &
  (
    | Unfinished
    | { readonly kind: "ran" }
    | (Failed & {
        /** The last lines that it printed. */
        readonly tail: readonly string[];
        /** The path of its log; left out if it printed nothing. */
        readonly log?: string;
      })
  );

export interface TaskRunner {
  /**
   * @param emit gets events of its start, its progress, and each next attempt
   * @returns how it ended; a failure is already recorded
   */
  run(run: TaskRun, emit: (event: TaskEvent) => void): Promise<RunResult>;
}
