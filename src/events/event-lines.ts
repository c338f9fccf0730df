/** The lines of cache/events/BUILD.jsonl, as written and as read back. */
import * as z from "zod/mini";
import type { Event } from "../report/events.ts";
import { ProcessIdentity } from "../system/process-identity.ts";

/** Raise when a line changes meaning; files of another version are passed over. */
export const EVENTS_VERSION = 1;

/** The first line: who builds what. */
export const BuildHead = z.extend(ProcessIdentity, {
  type: z.literal("build"),
  version: z.literal(EVENTS_VERSION),
  /** The number that `lq history` gives the build. */
  build: z.int(),
  /** Milliseconds since 1970, as every `at`. */
  at: z.number(),
  user: z.string(),
  host: z.string(),
  /** As typed; none: the pipeline's default. */
  targets: z.readonly(z.array(z.string())),
  /** As typed, such as "--keep-going". */
  flags: z.readonly(z.array(z.string())),
});
export type BuildHead = z.infer<typeof BuildHead>;

/** What follows: the events of `--json`, and three that only this file has. */
export type EventLine = (
  | Event
  /** How many tasks of a rule were found fresh so far; the last line of a rule counts. */
  | { readonly type: "fresh"; readonly rule: string; readonly tasks: number }
  /** The build goes on, though nothing else happens. */
  | { readonly type: "alive" }
  /** The build ended without a summary. */
  | { readonly type: "error"; readonly message: string }
) & { readonly at: number };

export function isEnd({ type }: EventLine): boolean {
  return type === "summary" || type === "error";
}
