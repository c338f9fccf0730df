/** One line a task that did something, then a summary: for logs, pipes and dry runs. */
import type { View } from "./listener.ts";
import { failureLines, summaryLine, taskLine } from "./lines.ts";

export interface PlainOptions {
  /** Failures and warnings only. */
  readonly quiet: boolean;
  readonly dryRun: boolean;
  write(line: string): void;
}

export function plainView({ quiet, dryRun, write }: PlainOptions): View {
  return {
    listener: (event) => {
      switch (event.type) {
        case "task":
          if (event.outcome === "failed") failureLines(event).forEach(write);
          else if (!quiet && event.outcome !== "fresh") write(taskLine(event, dryRun));
          return;
        case "notice":
          if (!quiet || event.level === "warning")
            write(`${event.level === "warning" ? "warning: " : ""}${event.text}`);
          return;
        case "summary":
          if (!quiet) write(summaryLine(event, dryRun));
          return;
        case "plan":
        case "start":
        case "progress":
          return;
      }
    },
    close: () => Promise.resolve(),
  };
}
