/** The lines of a build's history, as written and as read back. */
import * as z from "zod/mini";
import type { Reason } from "../model/model.ts";

/** Raise when a line changes meaning; builds of another version are passed over. */
export const HISTORY_VERSION = 1;

const BuildLine = z.object({
  type: z.literal("build"),
  version: z.literal(HISTORY_VERSION),
  /** Milliseconds since 1970, as every time here. */
  started: z.number(),
  /** As typed; none: the pipeline's default. */
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
  /** What the action of a run that ended well is stored under. */
  key: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  error: z.optional(z.string()),
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
});

export const HistoryLine = z.discriminatedUnion("type", [BuildLine, TaskLine, SummaryLine]);

export type BuildLine = z.infer<typeof BuildLine>;
export type TaskLine = z.infer<typeof TaskLine>;
export type SummaryLine = z.infer<typeof SummaryLine>;
export type HistoryLine = z.infer<typeof HistoryLine>;

/** Whether a task's outputs are in place, and under which key is on record. */
export function isDone({ outcome }: Pick<TaskLine, "outcome">): boolean {
  return outcome === "ran" || outcome === "restored" || outcome === "accepted";
}
