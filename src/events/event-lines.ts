/** Defines the lines of cache/events/BUILD.jsonl. */
import * as z from "zod/mini";
import type { Event } from "../report/events.ts";
import { ProcessIdentity } from "../system/process-identity.ts";

/** Raise this when the meaning of a line changes. lq ignores files of another version. */
export const EVENTS_VERSION = 1;

/** The first line. It says who builds what. */
export const BuildHead = z.extend(ProcessIdentity, {
  type: z.literal("build"),
  version: z.literal(EVENTS_VERSION),
  /** The number that `lq history` gives the build. */
  build: z.int(),
  /** Milliseconds since 1970, like every `at`. */
  at: z.number(),
  user: z.string(),
  host: z.string(),
  /** The targets as typed. An empty list means the pipeline's default. */
  targets: z.readonly(z.array(z.string())),
  /** The flags as typed, such as "--keep-going". */
  flags: z.readonly(z.array(z.string())),
});
export type BuildHead = z.infer<typeof BuildHead>;

/** All other lines: the events of `--json`, and three that only this file has. */
export type EventLine = (
  | Event
  /** How many tasks of a rule are fresh so far. The last line of a rule counts. */
  | { readonly type: "fresh"; readonly rule: string; readonly tasks: number }
  /** The build still runs, although it has nothing else to report. */
  | { readonly type: "alive" }
  /** The build ended without a summary. */
  | { readonly type: "error"; readonly message: string }
) & { readonly at: number };

export function isEnd({ type }: EventLine): boolean {
  return type === "summary" || type === "error";
}
