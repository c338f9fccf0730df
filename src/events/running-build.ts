/** Finds the build that is running now, from its events. */
import type { Event } from "../report/events.ts";
import { duration } from "../report/lines.ts";
import { Progress, type RunningTask } from "../report/progress.ts";
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

/** "hold: for 4 min 10 s, on GPU 0 and 1, epoch 3, 30 %" for each running task. */
export function runningTasks({ state, progress }: RunningBuild): readonly string[] {
  return state === "running"
    ? progress.running.map((task) => `${task.id}: ${runningFor(progress, task)}`)
    : [];
}

/** "for 4 min 10 s, on GPU 0 and 1, epoch 3, 30 %" */
export function runningFor(progress: Progress, task: RunningTask): string {
  const { devices, note, fraction } = task;
  return [
    `for ${duration(progress.elapsed(task))}`,
    devices.length > 0 ? `on GPU ${devices.join(" and ")}` : "",
    note,
    fraction > 0 ? `${Math.floor(fraction * 100)} %` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/**
 * What a command says while another one holds the project.
 * @param holder names the process that holds the project
 */
export function waitingText(root: string, holder: string): string {
  const running = runningBuild(root);
  const start = `waiting for another build (${holder})`;
  if (running?.state !== "running") return start;
  const { targets, at } = running.head;
  const what = targets.length === 0 ? "the default targets" : targets.join(" ");
  const since = duration(Math.max(0, Date.now() - at) / 1000);
  return `${start}: ${runningText(running)}; it makes ${what}, for ${since} so far. This command goes on by itself when it ends; \`lq status\` and \`lq log TASK\` show it`;
}
