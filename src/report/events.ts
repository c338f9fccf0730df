/**
 * Defines the events of a build. The engine reports everything as events; views (terminal, plain lines, NDJSON) only
 * listen.
 * `task` and `summary` are the stable public events of `--json`; docs/reference/json.md lists all of them.
 */
import type { TaskEvent } from "../execute/task-reports.ts";
import type { HashProgress } from "../files/hash-many.ts";
import type { Counts, Outcome } from "../model/counts.ts";
import type { Reason } from "../model/freshness.ts";

export type Event =
  /** Sent at the start and whenever the graph has expanded: how many tasks the request covers, by rule. */
  | {
      readonly type: "plan";
      readonly tasks: number;
      readonly rules: { readonly [rule: string]: number };
      /** Mean seconds of a rule's tasks in earlier builds, for rules that have run in this project. */
      readonly expected?: { readonly [rule: string]: number };
    }
  | TaskEvent
  /** Sent from time to time while the hashing of sources takes long. */
  | ({ readonly type: "hash" } & HashProgress)
  | {
      readonly type: "task";
      readonly task: string;
      readonly outcome: Outcome;
      readonly reasons: readonly Reason[];
      readonly seconds: number;
      /** For a task that failed, or that a dry run would run: as in `start`. */
      readonly command?: string;
      /** For a failed task: the reason, the last lines of its log, and the path of the whole log, if there is one. */
      readonly error?: string;
      readonly tail?: readonly string[];
      readonly log?: string;
      /** Where a batch system ran it, and the seconds that it waited in the queue. */
      readonly job?: string;
      readonly node?: string;
      readonly queued?: number;
    }
  /** What tasks wait for outside this build. It is sent when this changes. Empty: they no longer wait. */
  | { readonly type: "waiting"; readonly for: readonly string[] }
  /** Something that the user should know: another build is running, an orphan was removed, an edit was kept. */
  | { readonly type: "notice"; readonly level: "info" | "warning"; readonly text: string }
  /** Sent from time to time while a build that is over sends the rest to the remote cache. */
  | ({ readonly type: "upload" } & UploadProgress)
  | ({
      readonly type: "summary";
      readonly seconds: number;
      /** Outputs that no task makes any more. */
      readonly removed?: number;
      /** Results of tasks that were sent to the remote cache, and that came from there. */
      readonly uploaded: number;
      readonly downloaded: number;
    } & Counts);

export interface UploadProgress {
  /** Bytes that are still to be sent. */
  readonly left: number;
  /** Bytes per second. */
  readonly rate: number;
}

export type Listener = (event: Event) => void;
