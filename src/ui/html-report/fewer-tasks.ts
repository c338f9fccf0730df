/** Leaves tasks out of a report of very many tasks, and counts them by rule. Keeps the longest and all that failed. */
import { RUN_STATES, type LiveBuildData } from "../live-build.ts";
import { TASK_STATES, type OmittedTasks, type ProjectView } from "../messages.ts";

/** Up to this many tasks a report has them all. */
const MOST = 10_000;
/** How many of the longest tasks it has otherwise. */
const LONGEST = 1_000;

export function withFewerTasks(view: ProjectView): ProjectView {
  const { tasks } = view;
  if (tasks.id.length <= MOST) return view;
  const failed = TASK_STATES.indexOf("failed");
  const kept = longest(
    tasks.id.length,
    (i) => tasks.seconds[i] ?? 0,
    (i) => tasks.state[i] === failed,
  );
  const omitted = view.rules.map(() => ({ states: TASK_STATES.map(() => 0), seconds: 0, timed: 0 }));
  for (const [i, rule] of tasks.rule.entries()) {
    const own = omitted[rule];
    if (kept.has(i) || own === undefined) continue;
    own.states[tasks.state[i] ?? 0]! += 1;
    own.seconds += tasks.seconds[i] ?? 0;
    own.timed += tasks.seconds[i] == null ? 0 : 1;
  }
  const keep = <T>(column: readonly T[]): T[] => column.filter((_, i) => kept.has(i));
  return {
    ...view,
    rules: view.rules.map((rule, i) => ({ ...rule, omitted: someOf(omitted[i]!) })),
    tasks: {
      id: keep(tasks.id),
      rule: keep(tasks.rule),
      state: keep(tasks.state),
      seconds: keep(tasks.seconds),
    },
  };
}

/** The timeline draws these runs. */
export function withFewerRuns(build: LiveBuildData): LiveBuildData {
  const { runs } = build;
  if (runs.task.length <= MOST) return build;
  const failed = RUN_STATES.indexOf("failed");
  const took = (i: number): number => (runs.ended[i] ?? 0) - (runs.started[i] ?? 0);
  const kept = longest(runs.task.length, took, (i) => runs.state[i] === failed);
  const keep = <T>(column: readonly T[]): T[] => column.filter((_, i) => kept.has(i));
  return {
    ...build,
    runs: {
      task: keep(runs.task),
      state: keep(runs.state),
      started: keep(runs.started),
      ended: keep(runs.ended),
      devices: keep(runs.devices),
    },
  };
}

function longest(
  length: number,
  size: (i: number) => number,
  always: (i: number) => boolean,
): ReadonlySet<number> {
  const all = Array.from({ length }, (_, i) => i);
  const kept = new Set(all.filter(always));
  for (const i of all.toSorted((a, b) => size(b) - size(a)).slice(0, LONGEST)) kept.add(i);
  return kept;
}

function someOf(omitted: OmittedTasks): OmittedTasks | null {
  return omitted.states.some((count) => count > 0) ? omitted : null;
}
