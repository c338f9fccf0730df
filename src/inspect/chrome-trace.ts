/**
 * Converts a build to trace events, which chrome://tracing and ui.perfetto.dev draw. Tasks that ran at the same time
 * are in different lanes, and each device has a lane. Format: "Trace Event Format", complete events ("X"), times in
 * microseconds.
 */
import { ruleOf } from "../model/task-id.ts";
import { explain } from "../decide/explain.ts";
import type { Build } from "../history/builds.ts";
import type { TaskLine } from "../history/lines.ts";

interface TraceEvent {
  readonly ph: "X" | "M";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: { readonly [name: string]: unknown };
}

const PROCESS = "lq build ";
const TASKS = 1;
const DEVICES = 2;

/** Each file of trace events has this at its beginning, so that lq recognises what it may replace. */
export const TRACE_MARK = `"name":"${PROCESS}`;

export function chromeTrace(build: Build): { readonly traceEvents: readonly TraceEvent[] } {
  const byStart = [...build.tasks].sort((a, b) => a.started - b.started);
  const tasks = new Lanes((_, number) => `lane ${number}`);
  const devices = new Lanes((device, number) => `device ${device}${number > 1 ? ` (${number})` : ""}`);
  for (const device of [...new Set(byStart.flatMap((line) => line.devices))].sort()) devices.open(device);
  const events = byStart.flatMap((line) => [
    complete(line, build, TASKS, tasks.place("", line)),
    ...line.devices.map((device) => complete(line, build, DEVICES, devices.place(device, line))),
  ]);
  return {
    traceEvents: [
      named("process_name", TASKS, 0, `${PROCESS}${build.number}`),
      ...tasks.names.map((name, lane) => named("thread_name", TASKS, lane, name)),
      ...(devices.names.length > 0 ? [named("process_name", DEVICES, 0, "devices")] : []),
      ...devices.names.map((name, lane) => named("thread_name", DEVICES, lane, name)),
      ...events,
    ],
  };
}

/**
 * Assigns tasks to lanes so that nothing in a lane overlaps. Tasks on one device can overlap: they may share the
 * device, and a task may start while lq still stores the outputs of the task before.
 */
class Lanes {
  readonly names: string[] = [];
  readonly #nameOf: (what: string, number: number) => string;
  /** The lanes of each device or kind: the lane's index in `names`, and the time when it is free again. */
  readonly #lanes = new Map<string, { readonly place: number; until: number }[]>();

  constructor(nameOf: (what: string, number: number) => string) {
    this.#nameOf = nameOf;
  }

  /** Adds a lane. */
  open(what: string): { readonly place: number; until: number } {
    const lane = { place: this.names.length, until: -Infinity };
    const lanes = this.#lanes.get(what) ?? [];
    this.#lanes.set(what, lanes);
    lanes.push(lane);
    this.names.push(this.#nameOf(what, lanes.length));
    return lane;
  }

  /** Call this in the order of starting times. @returns the lane's index */
  place(what: string, { started, ended }: TaskLine): number {
    const lane = this.#lanes.get(what)?.find(({ until }) => until <= started) ?? this.open(what);
    lane.until = ended;
    return lane.place;
  }
}

function complete(line: TaskLine, build: Build, pid: number, tid: number): TraceEvent {
  const { task, started, ended, outcome, reasons } = line;
  return {
    ph: "X",
    name: task,
    cat: ruleOf(task),
    pid,
    tid,
    ts: (started - build.started) * 1000,
    dur: Math.max(1, (ended - started) * 1000),
    args: { outcome, reasons: reasons.map(explain) },
  };
}

function named(name: string, pid: number, tid: number, value: string): TraceEvent {
  return { ph: "M", name, pid, tid, args: { name: value } };
}
