/** What `build`, `status` and `clean` are asked, and what they answer. */
import type { HashOptions } from "../files/hash-many.ts";
import type { Freshness, Pipeline } from "../model/model.ts";
import type { Listener } from "../report/events.ts";
import type { Asked } from "../seal/seal.ts";
import type { Steering } from "./steering.ts";

/** Targets as typed: output paths, directories, rules, task ids, globs of these; none: the pipeline's default. */
export interface Request {
  readonly pipeline: Pipeline;
  readonly targets: readonly string[];
  /** Absolute folder that relative paths in targets start from. */
  readonly cwd: string;
  /** Who is told, of those that only look, how far the hashing of sources is. */
  readonly hashing?: HashOptions | undefined;
}

export interface BuildRequest extends Request {
  /** `-j`: cores to use. */
  readonly jobs?: number | undefined;
  /** `--slots gpu=2,cpu=8`, as typed. */
  readonly slots?: string | undefined;
  /** `-k`: after a failure go on with what does not need the failed task. */
  readonly keepGoing?: boolean | undefined;
  /** `-n`: say what would be done; do nothing. Tasks that would run are reported as events without outcome. */
  readonly dryRun?: boolean | undefined;
  /** `-f`: run the targets even when fresh, and overwrite outputs that were edited. */
  readonly force?: boolean | undefined;
  /** Run nothing: accept what the last runs left in place. */
  readonly accept?: boolean | undefined;
  /**
   * Cancels the build: running tasks are ended, nothing new starts. With a `Preempted` as its reason, resumable
   * tasks are given the time to save.
   */
  readonly signal?: AbortSignal | undefined;
  /** Ends the build early in other ways; made with the same signal. */
  readonly steering?: Steering | undefined;
  readonly listener?: Listener | undefined;
  /** Leave a seal if nothing is left to do. */
  readonly seal?: SealRequest | undefined;
}

export interface SealRequest {
  /** What the request is, in words that another of the same meaning has as well. */
  readonly request: string;
  /** A moment (milliseconds since 1970) before the pipeline was read. */
  readonly since: number;
  /** What the seal there was answered a moment ago; null, or left out: nothing. */
  readonly asked?: Asked | null | undefined;
}

/** Counts of tasks by outcome. */
export interface Summary {
  readonly ran: number;
  readonly restored: number;
  readonly accepted: number;
  readonly fresh: number;
  readonly failed: number;
  /** Not tried, because something they need failed or the build was stopped by a failure. */
  readonly skipped: number;
  readonly cancelled: number;
  readonly seconds: number;
}

export interface TaskStatus {
  readonly id: string;
  readonly rule: string;
  readonly freshness: Freshness;
}
