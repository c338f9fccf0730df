/** What `build` is asked, and what it answers. */
import type { Counts } from "../model/counts.ts";
import type { Listener } from "../report/events.ts";
import type { Request } from "../session/request.ts";
import type { SnapshotRequest } from "../snapshot/snapshot.ts";
import type { BuildControl } from "./control.ts";
import type { Mode } from "./mode.ts";

export interface BuildRequest extends Request {
  /** `-j`: cores to use. */
  readonly jobs?: number | undefined;
  /** `--slots gpu=2,cpu=8`, as typed. */
  readonly slots?: string | undefined;
  /** `-k`: after a failure go on with what does not need the failed task. */
  readonly keepGoing?: boolean | undefined;
  /** `-n`: say what would be done; do nothing. Tasks that would run are reported as events without outcome. */
  readonly dryRun?: boolean | undefined;
  /** `-f`: run the targets even when fresh, and replace outputs that were edited or not made by lq. */
  readonly force?: boolean | undefined;
  /** How to carry the plan out; by default due tasks run. */
  readonly mode?: Mode | undefined;
  /**
   * Cancels the build: running tasks are ended, nothing new starts. With a `Preempted` as its reason, resumable
   * tasks are given the time to save.
   */
  readonly signal?: AbortSignal | undefined;
  /** Ends the build early in other ways; made with the same signal. */
  readonly control?: BuildControl | undefined;
  readonly listener?: Listener | undefined;
  /** The flags as typed, for those who watch the build. */
  readonly flags?: readonly string[] | undefined;
  /** Leave a snapshot if nothing is left to do. */
  readonly snapshot?: SnapshotRequest | undefined;
}

/** `skipped` were not tried, because something they need failed or the build was stopped by a failure. */
export interface Summary extends Counts {
  readonly seconds: number;
}
