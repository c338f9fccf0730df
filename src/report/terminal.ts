/**
 * Draws the live view. Each rule has one line with its counts, and below it the running tasks with elapsed time,
 * progress and note. The last line estimates the time left. A rule with a thousand tasks still has one line. A rule
 * with nothing to do has none.
 */
import type { ListrTaskWrapper, DefaultRenderer, SimpleRenderer } from "listr2";
import { moreLines } from "../model/cut-list.ts";
import type { Event } from "./events.ts";
import {
  acceptedLines,
  duration,
  failureLines,
  hashLine,
  noticeLine,
  retryLine,
  summaryLine,
  type TaskEvent,
  uploadLine,
  waitingLine,
} from "./lines.ts";
import type { View } from "./view.ts";
import { painter, type Paint } from "./paint.ts";
import { printableLine } from "./printable.ts";
import { showHashing } from "./hashing.ts";
import { Progress, type RuleProgress } from "./progress.ts";

export interface TerminalOptions {
  readonly color: boolean;
  /** Every rule that the build may run, in the order of display. */
  readonly rules: readonly string[];
  readonly stdout: NodeJS.WriteStream;
}

const REFRESH_MS = 200;

export function terminalView({ color, rules, stdout }: TerminalOptions): View {
  const paint = painter(color);
  const progress = new Progress();
  const after: string[] = [];
  const accepted: TaskEvent[] = [];
  const write = (line: string): void => void stdout.write(`${printableLine(line)}\n`);
  let live: Promise<LiveList> | undefined;

  const listener = (event: Event): void => {
    const { hashing } = progress;
    progress.apply(event);
    if (live === undefined && (hashing ?? progress.hashing) !== null) showHashing(stdout, progress.hashing);
    if (event.type === "start") live ??= liveList({ color, rules, stdout }, progress);
    else if (event.type === "task" && event.outcome === "failed") after.push(...failureLines(event, paint));
    else if (event.type === "task" && event.outcome === "accepted") accepted.push(event);
    else if (event.type === "retry") after.push(retryLine(event));
    else if (event.type === "notice") (live ? after.push.bind(after) : write)(noticeLine(event, paint));
    else if (event.type === "waiting" && !live && event.for.length > 0) write(waitingLine(event.for));
    else if (event.type === "summary")
      after.push(...acceptedLines(accepted, false), summaryLine(event, false, paint));
  };
  return {
    listener,
    async close() {
      await (await live)?.end();
      after.forEach(write);
    },
  };
}

interface LiveList {
  end(): Promise<void>;
}

type Line = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/**
 * Makes one line of listr2 for each rule, and one for the total. A line is hidden until it has a title, when a task
 * starts.
 */
async function liveList({ color, rules, stdout }: TerminalOptions, progress: Progress): Promise<LiveList> {
  const { Listr, ListrLogger, ProcessOutput, DefaultRenderer } = await import("listr2");
  // lq has checked already that this is a terminal, so listr2 must not check it again.
  class Renderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const paint = painter(color);
  const lines = new Map<string, Line>();
  const seen = new Set<string>();
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));

  const draw = (name: string, line: Line): void => {
    const rule = progress.rules.get(name);
    if (rule && hasWorked(rule)) seen.add(name);
    if (rule && seen.has(name)) line.title = ruleTitle(name, rule, progress, roomFor(rule), paint);
    else if (name === TOTAL) line.title = totalTitle(progress, paint);
  };
  /** How many running tasks of a rule fit on the screen if each rule gets its share. */
  const roomFor = (rule: RuleProgress): number => {
    const room = Math.max(3, (stdout.rows ?? 24) - seen.size - 4);
    return Math.ceil(room / Math.max(1, progress.running.length)) * rule.running.size;
  };
  const list = new Listr(
    [...rules, TOTAL].map((name) => ({
      task: async (_: unknown, line: Line) => {
        lines.set(name, line);
        draw(name, line);
        await ended;
        draw(name, line);
        const counts = progress.rules.get(name)?.counts;
        if (counts !== undefined && counts.failed + counts.cancelled > 0) throw new Error(name);
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: Renderer,
      rendererOptions: {
        formatOutput: "truncate",
        showErrorMessage: false,
        logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stdout, stdout) }),
        color: colours(paint),
      },
    },
  );
  const shown = list.run();
  const timer = setInterval(() => lines.forEach((line, name) => draw(name, line)), REFRESH_MS);
  return {
    async end() {
      clearInterval(timer);
      end();
      await shown;
    },
  };
}

/** No rule has this name. */
const TOTAL = "";

function ruleTitle(name: string, rule: RuleProgress, progress: Progress, most: number, paint: Paint): string {
  const { counts, total, done, running, queued } = rule;
  const inQueue = queued.size > 0 ? { running: running.size, queued: queued.size } : {};
  const parts = Object.entries({ ...inQueue, ...counts }).flatMap(([outcome, count]) =>
    count > 0 ? [`${count} ${outcome}`] : [],
  );
  const tasks = [...running.values()];
  const shown = tasks.slice(0, Math.max(1, most));
  return [
    `${paint("bold", name)} ${done}/${total} ${paint("dim", parts.join(", "))}`.trimEnd(),
    ...shown.map((task) => {
      const share = task.fraction > 0 ? ` ${Math.floor(task.fraction * 100)} %` : "";
      const details =
        `${duration(progress.elapsed(task))}${share} ${[task.note, task.numbers].filter(Boolean).join(" · ")}`.trimEnd();
      return printableLine(`${task.id} ${paint("dim", details)}`);
    }),
    ...moreLines(tasks.length, shown.length, { hint: null }),
  ].join("\n");
}

/**
 * Whether a task of the rule is queued, runs, ran, failed or was restored. A rule with only fresh or skipped tasks has no line.
 */
function hasWorked({ running, queued, counts }: RuleProgress): boolean {
  return running.size + queued.size + counts.ran + counts.restored + counts.failed + counts.cancelled > 0;
}

function totalTitle(progress: Progress, paint: Paint): string {
  if (progress.hashing !== null) return paint("dim", printableLine(hashLine(progress.hashing)));
  const { waiting, done, total, uploading } = progress;
  const running = progress.running.length;
  const left = progress.secondsLeft();
  const eta = left === null ? "" : `, about ${roughly(left)} left`;
  return [
    ...(running > 0 ? [`${done} of ${total} tasks, ${running} running${eta}`] : []),
    ...(waiting.length > 0 ? [printableLine(waitingLine(waiting))] : []),
    ...(uploading === null ? [] : [uploadLine(uploading)]),
  ]
    .map((line) => paint("dim", line))
    .join("\n");
}

/** A duration without tenths, which no estimate knows. */
function roughly(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : duration(seconds);
}

/** Colours of the icons. Without them, the renderer would decide from the environment alone. */
function colours(paint: Paint) {
  const as =
    (colour: Parameters<Paint>[0]) =>
    (text = "") =>
      paint(colour, text);
  return {
    PENDING: as("cyan"),
    COMPLETED: as("green"),
    FAILED: as("red"),
    WAITING: as("dim"),
    OUTPUT: as("dim"),
  };
}
