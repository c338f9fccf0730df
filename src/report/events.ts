/**
 * The one stream that leaves the engine. Views (terminal, plain lines, NDJSON) only listen.
 * `task` and `summary` are the stable public events of `--json`; docs/reference.md lists all of them.
 */
import type { HashProgress } from "../files/hash-many.ts";
import type { Outcome, Reason } from "../model/model.ts";

export type Event =
  /** Sent at first and whenever the graph has expanded: how many tasks the request covers, by rule. */
  | {
      readonly type: "plan";
      readonly tasks: number;
      readonly rules: { readonly [rule: string]: number };
      /** Mean seconds of a rule's tasks in earlier builds, of the rules that have run here. */
      readonly expected?: { readonly [rule: string]: number };
    }
  | {
      readonly type: "start";
      readonly task: string;
      readonly reasons: readonly Reason[];
      readonly devices: readonly string[];
    }
  /** Now and then, while the sources are hashed and that takes long. */
  | ({ readonly type: "hash" } & HashProgress)
  | { readonly type: "progress"; readonly task: string; readonly fraction: number; readonly note?: string }
  /** An attempt failed; another follows. */
  | {
      readonly type: "retry";
      readonly task: string;
      /** Of the attempt that follows: 2 for the second. */
      readonly attempt: number;
      readonly error: string;
      /** The device's memory did not suffice: what follows has the device to itself. */
      readonly wholeDevice: boolean;
    }
  | {
      readonly type: "task";
      readonly task: string;
      readonly outcome: Outcome;
      readonly reasons: readonly Reason[];
      readonly seconds: number;
      /** For a failed task: why, its log's last lines, and the whole log's path. */
      readonly error?: string;
      readonly tail?: readonly string[];
      readonly log?: string;
    }
  /** What tasks wait for outside of this build, each time that it is something else; nothing: they wait no more. */
  | { readonly type: "waiting"; readonly for: readonly string[] }
  /** Something the user should know: waiting for another build, an orphan removed, a kept edit. */
  | { readonly type: "notice"; readonly level: "info" | "warning"; readonly text: string }
  | {
      readonly type: "summary";
      readonly ran: number;
      readonly restored: number;
      readonly accepted: number;
      readonly fresh: number;
      readonly failed: number;
      readonly skipped: number;
      readonly seconds: number;
    };

export type Listener = (event: Event) => void;
