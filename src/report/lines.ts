/** Writes the lines that the text views share. */
import { countsText } from "../model/counts.ts";
import { briefCauseOf, explainInFull, groupByCause, textIn } from "../decide/explain.ts";
import { ruleOf } from "../model/task-id.ts";
import { firstLines } from "../model/cut-list.ts";
import type { Event, UploadProgress } from "./events.ts";
import type { HashProgress } from "../files/hash-many.ts";
import { sizeText } from "../system/sizes.ts";
import type { Paint } from "./paint.ts";
import { withoutColour } from "./printable.ts";

export type TaskEvent = Extract<Event, { type: "task" }>;
type Retry = Extract<Event, { type: "retry" }>;
type Notice = Extract<Event, { type: "notice" }>;
type Summary = Extract<Event, { type: "summary" }>;

const WOULD = {
  ran: "would run",
  restored: "would restore",
  accepted: "would accept",
  fresh: "fresh",
  failed: "would fail",
  skipped: "would skip",
  cancelled: "would cancel",
} as const;

const MOST_REASONS = 20;
/** How much of a command to show: lines, and characters of each. */
const MOST_LINES = 12;
const WIDTH = 1000;

/** "ran predict:btcv/stu-s/0001 (0.4 s): params generators.stu-s.channels: 4 → 6 (+1 more)" */
export function taskLine({ task, outcome, seconds, reasons }: TaskEvent, dryRun: boolean): string {
  const verb = dryRun ? WOULD[outcome] : outcome;
  const time = outcome === "ran" && !dryRun ? ` (${duration(seconds)})` : "";
  const [first, ...others] = reasons;
  const why = first
    ? `: ${textIn(first, outcome)}${others.length > 0 ? ` (+${others.length} more)` : ""}`
    : "";
  return `${verb} ${task}${time}${why}`;
}

/**
 * One line for the accepted tasks of a rule that have reasons of the same kinds: "accepted 4 tasks, prep:a …: params
 * x: 1 → 2". It shows all reasons, because accepting ignores them all.
 */
export function acceptedLines(events: readonly TaskEvent[], dryRun: boolean): string[] {
  return groupByCause(events, ({ task, reasons }) => ({
    cause: reasons.map((reason) => briefCauseOf(reason, ruleOf(task))).join("\0"),
    text: firstLines(reasons, MOST_REASONS, explainInFull).join("; "),
  })).map(({ text, items: [one, ...others] }) => {
    const who = others.length === 0 ? one?.task : `${others.length + 1} tasks, ${one?.task} …`;
    return `${dryRun ? WOULD.accepted : "accepted"} ${who}: ${text}`;
  });
}

/** "retrying train:btcv/base (attempt 2): exit code 1" */
export function retryLine({ task, attempt, error, wholeDevice }: Retry): string {
  return `retrying ${task} (attempt ${attempt}${wholeDevice ? ", with the whole device" : ""}): ${error}`;
}

/** A failed task: the reason, the end of its log, and the path of the whole log. */
export function failureLines({ task, error, command, tail, log }: TaskEvent, paint: Paint): string[] {
  const [reason = "", ...more] = (error ?? "no reason was given").split("\n");
  return [
    `${paint("red", "failed")} ${paint("bold", task)}: ${reason}`,
    ...more,
    ...commandLines(command),
    ...(tail ?? []).map((line) => `  ${paint("dim", "|")} ${withoutColour(line)}`),
    ...(log === undefined ? [] : [`  whole log: ${log}`]),
  ];
}

/** "  command: sort in.txt > out.txt"; nothing for a module. A long command is cut. */
export function commandLines(command: string | undefined): string[] {
  if (command === undefined) return [];
  const lines = command.trim().split("\n");
  const shown = firstLines(
    lines,
    MOST_LINES,
    (line) => (line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line),
    {
      noun: "lines",
      hint: null,
    },
  );
  return shown.map((line, i) => `${i === 0 ? "  command: " : "           "}${line}`);
}

export function noticeLine({ level, text }: Notice, paint: Paint): string {
  return level === "warning" ? `${paint("yellow", "warning:")} ${text}` : text;
}

/** "waiting: GPU 0 is held by process 4711 (ann)" */
export function waitingLine(reasons: readonly string[]): string {
  return `waiting: ${reasons.join("; ")}`;
}

/** "hashing 1.2 GiB of 40.3 GiB, about 32.0 s left: data/btcv/img0001.nii.gz" */
export function hashLine({ file, bytes, total, seconds }: HashProgress): string {
  const left = bytes === 0 ? "" : `, about ${duration((seconds * (total - bytes)) / bytes)} left`;
  return `hashing ${sizeText(bytes)} of ${sizeText(total)}${left}: ${file}`;
}

/** "uploading 1.5 GiB, 8.9 MiB/s" */
export function uploadLine({ left, rate }: UploadProgress): string {
  return `uploading ${sizeText(left)}, ${sizeText(rate)}/s`;
}

/** "3 ran, 12 restored, 410 fresh, 12 downloaded, 3 uploaded in 4.2 s" */
export function summaryLine(summary: Summary, dryRun: boolean, paint: Paint): string {
  const text = countsText(summary, (count, outcome) => {
    const phrase = `${count} ${dryRun ? WOULD[outcome] : outcome}`;
    return outcome === "failed" ? paint("red", phrase) : phrase;
  });
  const { removed = 0, downloaded, uploaded } = summary;
  const outputs = removed === 1 ? "1 output" : `${removed} outputs`;
  const parts = [
    ...(text === "" ? [] : [text]),
    ...(removed === 0 ? [] : [`${outputs} ${dryRun ? "would be removed" : "removed"}`]),
    ...(downloaded === 0 ? [] : [`${downloaded} downloaded`]),
    ...(uploaded === 0 ? [] : [`${uploaded} uploaded`]),
  ];
  return `${parts.join(", ") || "nothing done"} in ${duration(summary.seconds)}`;
}

/** "all 410 tasks fresh" */
export function allFreshLine(tasks: number, paint: Paint): string {
  if (tasks === 0) return "no tasks";
  return `${tasks === 1 ? "1 task" : `all ${tasks} tasks`} ${paint("green", "fresh")}`;
}

/** "0.4 s", "3 min 20 s", "5 h 02 min" */
export function duration(seconds: number): string {
  if (seconds < 60) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
