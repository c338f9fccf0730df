/**
 * Keeps the state of a build, task by task, from its events. The server keeps one for the build that it watches. The
 * page gets it as data and then applies the same events. This code is pure, because it runs in the server and the page.
 */
import type { BuildHead, EventLine } from "../events/event-lines.ts";
import type { Outcome } from "../model/counts.ts";
import type { Reason } from "../model/freshness.ts";
import type { Event } from "../report/events.ts";
import { ruleOf } from "../model/task-id.ts";
import { Progress } from "../report/progress.ts";

/** States of tasks in a build. Columns contain indices of this list. */
export const RUN_STATES = [
  "running",
  "ran",
  "restored",
  "accepted",
  "failed",
  "skipped",
  "cancelled",
  "retrying",
] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface TaskRun {
  state: RunState;
  /** Milliseconds since 1970. */
  started: number;
  ended: number | null;
  devices: readonly string[];
  attempt: number;
  fraction: number;
  note: string;
  /** The first reason why it ran. */
  reason: Reason | null;
}

export interface FailedTask {
  readonly task: string;
  readonly error: string;
  readonly tail: readonly string[];
  readonly log: string | null;
  readonly seconds: number;
  readonly at: number;
  readonly devices: readonly string[];
  readonly attempt: number;
}

export interface RuleData {
  readonly rule: string;
  readonly total: number;
  readonly counts: { readonly [outcome in Outcome]: number };
  readonly seconds: number;
  readonly expected: number | null;
}

export interface LiveBuildData {
  readonly head: BuildHead;
  readonly rules: readonly RuleData[];
  readonly waiting: readonly string[];
  readonly hashing: Progress["hashing"];
  readonly notices: readonly { readonly level: string; readonly text: string }[];
  readonly failed: readonly FailedTask[];
  /** Null: the build has not ended. */
  readonly ended: { readonly at: number; readonly error: string | null } | null;
  /** Columns of the tasks that were not fresh. Times are milliseconds after the time of the head. */
  readonly runs: {
    readonly task: readonly string[];
    readonly state: readonly number[];
    readonly started: readonly number[];
    readonly ended: readonly (number | null)[];
    readonly devices: readonly (readonly string[] | null)[];
  };
  /** More details of the running tasks. */
  readonly running: readonly (TaskRun & { readonly task: string })[];
}

/** How many failed tasks are sent with all details. */
const MOST_FAILED = 50;
const MOST_NOTICES = 50;

export class LiveBuild {
  readonly head: BuildHead;
  readonly progress: Progress;
  readonly runs = new Map<string, TaskRun>();
  readonly failed: FailedTask[] = [];
  readonly notices: { readonly level: string; readonly text: string }[] = [];
  ended: { readonly at: number; readonly error: string | null } | null = null;
  #now: number;

  constructor(head: BuildHead) {
    this.head = head;
    this.#now = head.at;
    this.progress = new Progress(() => this.#now, head.at);
  }

  static from(data: LiveBuildData): LiveBuild {
    const build = new LiveBuild(data.head);
    const { progress } = build;
    for (const { rule, total, counts, seconds, expected } of data.rules) {
      const own = progress.rule(rule);
      Object.assign(own, { total, seconds, expected: expected ?? undefined });
      Object.assign(own.counts, counts);
    }
    progress.waiting = data.waiting;
    progress.hashing = data.hashing;
    build.failed.push(...data.failed);
    build.notices.push(...data.notices);
    build.ended = data.ended;
    for (const [i, task] of data.runs.task.entries())
      build.runs.set(task, {
        ...EMPTY,
        state: RUN_STATES[data.runs.state[i] ?? 0] ?? "ran",
        started: data.head.at + (data.runs.started[i] ?? 0),
        ended: inTime(data.head.at, data.runs.ended[i] ?? null),
        devices: data.runs.devices[i] ?? [],
      });
    for (const { task, ...run } of data.running) {
      build.runs.set(task, run);
      const { started: since, devices, fraction, note } = run;
      progress
        .rule(ruleOf(task))
        .running.set(task, { id: task, since, devices, fraction, note, numbers: "" });
    }
    return build;
  }

  data(): LiveBuildData {
    const { head, progress, failed, notices, ended } = this;
    const all = [...this.runs];
    const after = (time: number): number => Math.round(time - head.at);
    return {
      head,
      rules: [...progress.rules].map(([rule, { total, counts, seconds, expected = null }]) => {
        return { rule, total, counts: { ...counts }, seconds, expected };
      }),
      waiting: progress.waiting,
      hashing: progress.hashing,
      notices: [...notices],
      failed: [...failed],
      ended,
      runs: {
        task: all.map(([task]) => task),
        state: all.map(([, { state }]) => RUN_STATES.indexOf(state)),
        started: all.map(([, { started }]) => after(started)),
        ended: all.map(([, run]) => (run.ended === null ? null : after(run.ended))),
        devices: all.map(([, { devices }]) => (devices.length === 0 ? null : devices)),
      },
      running: all.flatMap(([task, run]) =>
        run.state === "running" || run.state === "retrying" ? [{ task, ...run }] : [],
      ),
    };
  }

  /** @param now milliseconds since 1970, by the clock of the machine that builds */
  tick(now: number): void {
    this.#now = Math.max(this.#now, now);
  }

  apply(line: EventLine): void {
    this.tick(line.at);
    switch (line.type) {
      case "alive":
        return;
      case "fresh":
        this.progress.rule(line.rule).counts.fresh = line.tasks;
        return;
      case "error":
        this.ended = { at: line.at, error: line.message };
        return;
      case "summary":
        this.ended = { at: line.at, error: null };
        return;
      case "notice":
        this.notices.push({ level: line.level, text: line.text });
        if (this.notices.length > MOST_NOTICES) this.notices.shift();
        return;
      case "hash":
      case "metrics":
      case "plan":
      case "progress":
      case "queued":
      case "retry":
      case "start":
      case "task":
      case "upload":
      case "waiting":
        this.#applyTask(line);
        this.progress.apply(line);
    }
  }

  #applyTask(line: Event & { readonly at: number }): void {
    if (line.type === "start") {
      const reason = line.reasons[0] ?? null;
      const { attempt } = this.runs.get(line.task) ?? EMPTY;
      const { devices, at: started } = line;
      this.runs.set(line.task, { ...EMPTY, state: "running", started, devices, reason, attempt });
    } else if (line.type === "progress") {
      const run = this.runs.get(line.task);
      if (run !== undefined) Object.assign(run, { fraction: line.fraction, note: line.note ?? run.note });
    } else if (line.type === "retry") {
      const run = this.runs.get(line.task);
      const state = line.wholeDevice ? "retrying" : "running";
      if (run !== undefined) Object.assign(run, { attempt: line.attempt, fraction: 0, state });
    } else if (line.type === "task" && line.outcome !== "fresh") this.#end(line);
  }

  #end({ task, outcome, at, seconds, reasons, ...line }: TaskEnd): void {
    const run = this.runs.get(task);
    const started = run?.started ?? at - Math.round(seconds * 1000);
    const { devices, attempt } = run ?? EMPTY;
    const state = outcome === "fresh" ? "ran" : outcome;
    this.runs.set(task, {
      ...EMPTY,
      state,
      started,
      ended: at,
      devices,
      attempt,
      reason: reasons[0] ?? null,
    });
    if (outcome !== "failed" || this.failed.length >= MOST_FAILED) return;
    const { error = "", tail = [], log = null } = line;
    this.failed.push({ task, error, tail, log, seconds, at, devices, attempt });
  }
}

type TaskEnd = Extract<Event, { type: "task" }> & { readonly at: number };

const EMPTY: TaskRun = {
  state: "running",
  started: 0,
  ended: null,
  devices: [],
  attempt: 1,
  fraction: 0,
  note: "",
  reason: null,
};

function inTime(origin: number, after: number | null): number | null {
  return after === null ? null : origin + after;
}

/** Cut longer values before they are sent. */
const LONGEST = 200;

/** An event without the parts that the page does not show; null if the page shows nothing of it. */
export function brief(line: EventLine): EventLine | null {
  if (line.type === "alive") return null;
  if (line.type !== "task" && line.type !== "start") return line;
  const [first] = line.reasons;
  return { ...line, reasons: first === undefined ? [] : [shortened(first)] };
}

function shortened(reason: Reason): Reason {
  if (reason.kind !== "param" && reason.kind !== "command") return reason;
  return JSON.stringify(reason).length <= LONGEST * 2
    ? reason
    : ({ ...reason, before: short(reason.before), after: short(reason.after) } as Reason);
}

function short(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
