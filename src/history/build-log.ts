/**
 * Records what each build did, in one file for each build: cache/history/NUMBER.jsonl.
 *
 * The first line is the build. Then comes one line for each task that ran, was restored, accepted or cancelled, or
 * failed, in the order in which they ended, and then the summary. Only the last line can be cut short. The file of a
 * killed build has no summary and may lack its last second. Builds that found everything fresh leave no file.
 */
import { appendFileSync, rmSync } from "node:fs";
import { countsOf } from "../model/counts.ts";
import { join } from "node:path";
import type { Session } from "../session/session.ts";
import { makeFolder } from "../files/make-folder.ts";
import type { Event, Listener } from "../report/events.ts";
import { HISTORY } from "../model/layout.ts";
import { buildFile, buildNumbers } from "./build-files.ts";
import { type BuildLine, HISTORY_VERSION, type HistoryLine, isDone } from "./lines.ts";

/** Number of builds that are kept. The next build removes older ones. */
const KEPT = 200;
/** Number of lines that lq collects before it writes them. */
const GATHERED = 200;
/** Milliseconds after which lq writes the collected lines. */
const INTERVAL = 1000;

/**
 * Returns a listener that writes the build's history under its number. Only the holder of the project's lock may use
 * it. If the history cannot be written, this calls `notice`, and the build goes on.
 */
export function recordBuild(
  { root, state }: Pick<Session, "root" | "state">,
  targets: readonly string[],
  number: () => number,
  notice: (text: string) => void,
): Listener {
  const clock = steadyClock();
  const began: BuildLine = { type: "build", version: HISTORY_VERSION, started: clock(), targets };
  const starts = new Map<string, { readonly at: number; readonly devices: readonly string[] }>();
  let file: string | null = null;
  let lines: HistoryLine[] = [];
  let written = clock();
  let broken = false;

  const flush = (): void => {
    written = clock();
    if (lines.length === 0 || broken) return;
    try {
      file ??= nextFile(root, number());
      appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    } catch (error) {
      broken = true;
      notice(`the history of this build cannot be written: ${(error as Error).message}`);
    }
    lines = [];
  };
  const add = (line: HistoryLine): void => {
    if (file === null && lines.length === 0) lines.push(began);
    lines.push(line);
    if (lines.length >= GATHERED || clock() - written > INTERVAL) flush();
  };

  return (event: Event) => {
    if (event.type === "start") starts.set(event.task, { at: clock(), devices: event.devices });
    else if (event.type === "task") {
      const { task, outcome, reasons, seconds, error, job, node, queued } = event;
      if (outcome === "fresh" || outcome === "skipped") return;
      const key = isDone({ outcome }) ? state.last(task)?.key : undefined;
      const ended = clock();
      const start = starts.get(task);
      starts.delete(task);
      add({
        type: "task",
        task,
        outcome,
        started: start?.at ?? ended - Math.round(seconds * 1000),
        ended,
        devices: start?.devices ?? [],
        reasons,
        ...(typeof key === "string" ? { key } : {}),
        ...(error === undefined ? {} : { error }),
        ...(job === undefined ? {} : { job, node, queued }),
      });
    } else if (event.type === "summary" && (file !== null || lines.length > 0)) {
      const { uploaded, downloaded } = event;
      add({ type: "summary", ended: clock(), ...countsOf(event), uploaded, downloaded });
      flush();
    }
  };
}

/**
 * A clock that starts at the present time of day and then follows the monotonic clock, so that a change of the system
 * clock does not affect it.
 * @returns milliseconds since 1970
 */
function steadyClock(): () => number {
  const origin = Date.now() - performance.now();
  return () => Math.round(origin + performance.now());
}

/** The path of the build's file. Makes the folder, and removes builds that are too old to keep. */
function nextFile(root: string, build: number): string {
  const folder = join(root, HISTORY);
  makeFolder(folder);
  const numbers = buildNumbers(folder);
  for (const old of numbers.slice(0, Math.max(0, numbers.length - KEPT + 1)))
    rmSync(join(folder, buildFile(old)), { force: true });
  return join(folder, buildFile(build));
}
