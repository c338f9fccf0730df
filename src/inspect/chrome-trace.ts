/**
 * A build as trace events, which chrome://tracing and ui.perfetto.dev draw: a lane for each task that ran at the
 * same time, a lane for each device.
 * Format: "Trace Event Format", complete events ("X"), times in microseconds.
 */
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

const TASKS = 1;
const DEVICES = 2;

export function chromeTrace(build: Build): { readonly traceEvents: readonly TraceEvent[] } {
  const byStart = [...build.tasks].sort((a, b) => a.started - b.started);
  const lanes: number[] = [];
  const devices = [...new Set(byStart.flatMap((line) => line.devices))].sort();
  const events = byStart.flatMap((line) => {
    const free = lanes.findIndex((until) => until <= line.started);
    const lane = free < 0 ? lanes.length : free;
    lanes[lane] = line.ended;
    return [
      complete(line, build, TASKS, lane),
      ...line.devices.map((device) => complete(line, build, DEVICES, devices.indexOf(device))),
    ];
  });
  return {
    traceEvents: [
      named("process_name", TASKS, 0, `lq build ${build.number}`),
      ...lanes.map((_, lane) => named("thread_name", TASKS, lane, `lane ${lane + 1}`)),
      ...(devices.length > 0 ? [named("process_name", DEVICES, 0, "devices")] : []),
      ...devices.map((device, i) => named("thread_name", DEVICES, i, `device ${device}`)),
      ...events,
    ],
  };
}

function complete(line: TaskLine, build: Build, pid: number, tid: number): TraceEvent {
  const { task, started, ended, outcome, reasons } = line;
  return {
    ph: "X",
    name: task,
    cat: task.split(":")[0] ?? task,
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
