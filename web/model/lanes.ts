/** Puts the tasks of a build in lanes: one for each device, and as many for the others as ran at once. Pure. */
import { RUN_STATES, type LiveBuildData } from "../../src/ui/live-build.ts";

export interface Span {
  readonly task: string;
  readonly state: (typeof RUN_STATES)[number];
  /** Milliseconds after the build's start. */
  readonly start: number;
  readonly end: number;
  readonly lane: number;
}

export interface Lanes {
  readonly names: readonly string[];
  readonly spans: readonly Span[];
  readonly end: number;
}

/** @param now milliseconds after the build's start; a running task is drawn up to this time */
export function lanesOf({ runs }: LiveBuildData, now: number): Lanes {
  const order = runs.task.map((_, i) => i).filter((i) => (runs.ended[i] ?? now) > (runs.started[i] ?? 0));
  order.sort((a, b) => (runs.started[a] ?? 0) - (runs.started[b] ?? 0));
  const groups = new Map<string, { until: number; spans: number[] }[]>();
  for (const i of order) {
    const devices = runs.devices[i];
    for (const name of devices ? devices.map((device) => `GPU ${device}`) : ["CPU"]) {
      const lanes = groups.get(name) ?? [];
      groups.set(name, lanes);
      const start = runs.started[i] ?? 0;
      let lane = lanes.find(({ until }) => until <= start);
      if (lane === undefined) lanes.push((lane = { until: 0, spans: [] }));
      lane.until = runs.ended[i] ?? now;
      lane.spans.push(i);
    }
  }
  const sorted = [...groups].sort(([a], [b]) => (a === "CPU" ? 1 : b === "CPU" ? -1 : a.localeCompare(b)));
  const names: string[] = [];
  const spans: Span[] = [];
  for (const [name, lanes] of sorted)
    for (const [k, lane] of lanes.entries()) {
      for (const i of lane.spans)
        spans.push({
          task: runs.task[i] ?? "",
          state: RUN_STATES[runs.state[i] ?? 0] ?? "ran",
          start: runs.started[i] ?? 0,
          end: runs.ended[i] ?? now,
          lane: names.length,
        });
      names.push(lanes.length > 1 ? `${name} · ${k + 1}` : name);
    }
  return { names, spans, end: spans.reduce((last, { end }) => Math.max(last, end), 0) };
}
