/** The schema of the lines in a build's history file. */
import * as z from "zod/mini";
import type { Reason } from "../model/freshness.ts";

/** Raise this when the meaning of a line changes. Builds of another version are ignored. */
export const HISTORY_VERSION = 1;

const BuildLine = z.object({
  type: z.literal("build"),
  version: z.literal(HISTORY_VERSION),
  /** Milliseconds since 1970, like every time in this file. */
  started: z.number(),
  /** The targets as typed. An empty list means the pipeline's default. */
  targets: z.readonly(z.array(z.string())),
});

const TaskLine = z.object({
  type: z.literal("task"),
  task: z.string(),
  outcome: z.enum(["ran", "restored", "accepted", "failed", "cancelled"]),
  started: z.number(),
  ended: z.number(),
  devices: z.readonly(z.array(z.string())),
  reasons: z.readonly(
    z.array(z.custom<Reason>((value) => typeof (value as Reason | null)?.kind === "string")),
  ),
  /** The key of a run that succeeded, under which its action is stored. */
  key: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  error: z.optional(z.string()),
  /** Where a batch system ran it, and the seconds that it waited in the queue. */
  job: z.optional(z.string()),
  node: z.optional(z.string()),
  queued: z.optional(z.number()),
});

const SummaryLine = z.object({
  type: z.literal("summary"),
  ended: z.number(),
  ran: z.number(),
  restored: z.number(),
  accepted: z._default(z.number(), 0),
  fresh: z.number(),
  failed: z.number(),
  skipped: z.number(),
  cancelled: z._default(z.number(), 0),
  uploaded: z._default(z.number(), 0),
  downloaded: z._default(z.number(), 0),
});

export const HistoryLine = z.discriminatedUnion("type", [BuildLine, TaskLine, SummaryLine]);

export type BuildLine = z.infer<typeof BuildLine>;
export type TaskLine = z.infer<typeof TaskLine>;
export type SummaryLine = z.infer<typeof SummaryLine>;
export type HistoryLine = z.infer<typeof HistoryLine>;

/** Whether the task's outputs were put in place, so that the state log has their key. */
export function isDone({ outcome }: Pick<TaskLine, "outcome">): boolean {
  return outcome === "ran" || outcome === "restored" || outcome === "accepted";
}
