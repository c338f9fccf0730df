/** Prints one line for each task that did something, and then a summary. Use it for logs, pipes and dry runs. */
import {
  acceptedLines,
  commandLines,
  failureLines,
  noticeLine,
  retryLine,
  summaryLine,
  taskLine,
  uploadLine,
  waitingLine,
  type TaskEvent,
} from "./lines.ts";
import type { Paint } from "./paint.ts";
import type { View } from "./view.ts";

export interface PlainOptions {
  /** Print only failures and warnings. */
  readonly quiet: boolean;
  /** Commands, too. */
  readonly verbose: boolean;
  readonly dryRun: boolean;
  readonly paint: Paint;
  readonly write: (line: string) => void;
}

export function plainView({ quiet, verbose, dryRun, paint, write }: PlainOptions): View {
  let isUploading = false;
  const accepted: TaskEvent[] = [];
  return {
    listener: (event) => {
      switch (event.type) {
        case "task":
          if (event.outcome === "failed") failureLines(event, paint).forEach(write);
          else if (event.outcome === "accepted") accepted.push(event);
          else if (!quiet && event.outcome !== "fresh" && event.outcome !== "skipped")
            [taskLine(event, dryRun), ...(verbose && dryRun ? commandLines(event.command) : [])].forEach(
              write,
            );
          return;
        case "start":
          if (verbose) [`started ${event.task}`, ...commandLines(event.command)].forEach(write);
          return;
        case "notice":
          if (!quiet || event.level === "warning") write(noticeLine(event, paint));
          return;
        case "waiting":
          if (!quiet && event.for.length > 0) write(waitingLine(event.for));
          return;
        case "retry":
          if (!quiet) write(retryLine(event));
          return;
        case "upload":
          if (!quiet && !isUploading) write(uploadLine(event));
          isUploading = true;
          return;
        case "summary":
          if (!quiet) acceptedLines(accepted, dryRun).forEach(write);
          if (!quiet) write(summaryLine(event, dryRun, paint));
          return;
        case "plan":
        case "hash":
        case "progress":
        case "queued":
        case "metrics":
          return;
      }
    },
    close: () => Promise.resolve(),
  };
}
