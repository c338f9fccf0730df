/** Finds the build that is running now, from its events. */
import type { Event } from "../report/events.ts";
import { duration } from "../report/lines.ts";
import { Progress } from "../report/progress.ts";
import type { BuildHead, EventLine } from "./event-lines.ts";
import { EventFile, newestEvents, type BuildState } from "./follow-events.ts";

export interface RunningBuild {
  readonly head: BuildHead;
  readonly state: Exclude<BuildState, "ended">;
  /** When the build wrote its last event, in milliseconds since 1970. */
  readonly heard: number;
  readonly progress: Progress;
}

/** Null: the last build has ended, or there was none. */
export function runningBuild(root: string): RunningBuild | null {
  const build = newestEvents(root);
  if (build === null) return null;
  const file = new EventFile(root, build);
  let now = 0;
  const progress = new Progress(() => now);
  for (const line of file.read()) {
    now = line.at;
    applyLine(progress, line);
  }
  const { head, heard } = file;
  const state = file.state();
  now = Date.now();
  return head === null || state === "ended" ? null : { head, state, heard, progress };
}

export function applyLine(progress: Progress, line: EventLine): void {
  if (line.type === "fresh") progress.rule(line.rule).counts.fresh = line.tasks;
  else if (isEvent(line)) progress.apply(line);
}

function isEvent(line: EventLine): line is Event & { readonly at: number } {
  return line.type !== "alive" && line.type !== "error" && line.type !== "fresh";
}

/** "build 14 by ann on lab-gpu1 is running: 474 of 1107 done, 2 running, about 4 min 00 s left" */
export function runningText({ head, state, heard, progress }: RunningBuild): string {
  const { build, user, host } = head;
  const name = `build ${build} by ${user} on ${host}`;
  const failed = [...progress.rules.values()].reduce((sum, { counts }) => sum + counts.failed, 0);
  const left = progress.secondsLeft();
  const counts = [
    `${progress.done} of ${progress.total} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(state === "running" ? [`${progress.running.length} running`] : []),
    ...(state === "running" && left !== null ? [`about ${duration(left)} left`] : []),
  ].join(", ");
  if (state === "running") return `${name} is running: ${counts}`;
  if (state === "cut short") return `${name} was cut short: ${counts}`;
  const ago = duration(Math.max(0, Date.now() - heard) / 1000);
  return `no sign of life of ${name} for ${ago}: ${counts}`;
}
