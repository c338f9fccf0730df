/** The sentences that every text view shows. */
import { explain } from "../decide/explain.ts";
import type { Event } from "./events.ts";

type TaskEvent = Extract<Event, { type: "task" }>;
type Summary = Extract<Event, { type: "summary" }>;

const VERB = {
  ran: "ran",
  restored: "restored",
  fresh: "fresh",
  failed: "FAILED",
  skipped: "skipped",
  cancelled: "cancelled",
} as const;

/** "ran predict:btcv/stu-s/0001 (0.4 s): params generators.stu-s.channels: 4 → 6 (+1 more)" */
export function taskLine(event: TaskEvent, dryRun: boolean): string {
  const verb = dryRun
    ? `would be ${event.outcome}`.replace("would be ran", "would run")
    : VERB[event.outcome];
  const time = event.outcome === "ran" && !dryRun ? ` (${duration(event.seconds)})` : "";
  const [first, ...others] = event.reasons;
  const why = first ? `: ${explain(first)}${others.length > 0 ? ` (+${others.length} more)` : ""}` : "";
  return `${verb} ${event.task}${time}${why}`;
}

/** A failed task: why, the end of its log, and where the whole of it is. */
export function failureLines(event: TaskEvent): string[] {
  return [
    `FAILED ${event.task}: ${event.error ?? "no reason was given"}`,
    ...(event.tail ?? []).map((line) => `  | ${line}`),
    ...(event.log === undefined ? [] : [`  whole log: ${event.log}`]),
  ];
}

/** "3 ran, 12 restored, 410 fresh in 4.2 s" */
export function summaryLine(summary: Summary, dryRun: boolean): string {
  const parts = (["ran", "restored", "fresh", "failed", "skipped"] as const)
    .filter((outcome) => summary[outcome] > 0)
    .map((outcome) => `${summary[outcome]} ${outcome === "ran" && dryRun ? "would run" : outcome}`);
  return `${parts.join(", ") || "nothing to do"} in ${duration(summary.seconds)}`;
}

/** "0.4 s", "3 min 20 s", "5 h 02 min" */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
