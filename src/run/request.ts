/** The request that `build` takes, and the summary that it returns. */
import type { Counts } from "../model/counts.ts";
import type { Executor } from "../model/executors.ts";
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
  /** Where tasks run; by default as the user's configuration says. */
  readonly executor?: Executor | undefined;
  /** `-k`: after a failure go on with the tasks that do not depend on the failed task. */
  readonly keepGoing?: boolean | undefined;
  /** `-n`: say what would be done; do nothing. Tasks that would run are reported as events without outcome. */
  readonly dryRun?: boolean | undefined;
  /** `-f`: run the targets even when fresh, and replace outputs that were edited or not made by lq. */
  readonly force?: boolean | undefined;
  /** How to carry out the plan; by default due tasks run. */
  readonly mode?: Mode | undefined;
  /**
   * Cancels the build: lq ends the running tasks and starts nothing new. If its reason is a `Preempted`, resumable
   * tasks get time to save their state.
   */
  readonly signal?: AbortSignal | undefined;
  /** Ends the build early in other ways. Make it with the same signal. */
  readonly control?: BuildControl | undefined;
  readonly listener?: Listener | undefined;
  /** The flags as typed, for those who watch the build. */
  readonly flags?: readonly string[] | undefined;
  /** Write a snapshot if everything is up to date after the build. */
  readonly snapshot?: SnapshotRequest | undefined;
}

/** `skipped` tasks did not start, because a task that they depend on failed or because a failure stopped the build. */
export interface Summary extends Counts {
  /** Outputs that were removed because no task makes them any more. */
  readonly removed: number;
  /** Results of tasks that were sent to the remote cache, and that came from there. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly seconds: number;
}
