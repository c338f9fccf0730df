/** Describes a recorded build, in the same form as a running one, and why it ran its tasks. */
import { EVENTS_VERSION, type BuildHead, type EventLine } from "../../events/event-lines.ts";
import type { Build } from "../../history/builds.ts";
import { UserError } from "../../model/errors.ts";
import { ruleOf } from "../../model/task-id.ts";
import type { Inspection } from "../inspect-project.ts";
import { LiveBuild, type LiveBuildData } from "../live-build.ts";
import type { CauseView } from "../messages.ts";
import { firstCauses } from "./causes.ts";

export interface BuildView {
  readonly build: LiveBuildData;
  readonly complete: boolean;
  readonly causes: readonly CauseView[];
  /** The chain of tasks that determined how long the build took, from first to last. */
  readonly criticalPath: readonly string[];
}

/** @throws UserError if there is no record of the build */
export function buildView(inspection: Inspection, number: number): BuildView {
  const build = inspection.builds.find((each) => each.number === number);
  if (build === undefined) throw new UserError(`no build ${number} is on record`);
  const { graph } = inspection.session;
  const why = build.tasks.map(({ task, reasons }) => ({ task, rule: ruleOf(task), reasons, after: [] }));
  return {
    build: liveBuildOf(build).data(),
    complete: build.summary !== null,
    causes: firstCauses(why, (path) => graph.producer(path)?.id),
    criticalPath: criticalPath(inspection, build),
  };
}

function liveBuildOf({ number, started, targets, tasks, summary }: Build): LiveBuild {
  const unknown = { pid: 0, started: null, place: "", user: "", host: "", flags: [] };
  const head: BuildHead = {
    ...{ type: "build", version: EVENTS_VERSION, build: number, at: started, targets },
    ...unknown,
  };
  const live = new LiveBuild(head);
  const rules = new Map<string, number>();
  for (const { task } of tasks) rules.set(ruleOf(task), (rules.get(ruleOf(task)) ?? 0) + 1);
  const lines: EventLine[] = [
    { type: "plan", at: started, tasks: tasks.length, rules: Object.fromEntries(rules) },
  ];
  for (const { task, outcome, reasons, devices, started: begun, ended, error } of tasks) {
    const seconds = (ended - begun) / 1000;
    lines.push({ type: "start", at: begun, task, reasons, devices });
    const failure = error === undefined ? {} : { error };
    lines.push({ type: "task", at: ended, task, outcome, reasons, seconds, ...failure });
  }
  lines.sort((a, b) => a.at - b.at);
  if (summary !== null)
    lines.push({ ...summary, at: summary.ended, seconds: (summary.ended - started) / 1000 });
  for (const line of lines) live.apply(line);
  return live;
}

/** Goes back from the task that ended last to the task that it waited for longest, and so on. */
function criticalPath({ session: { graph } }: Inspection, { tasks }: Build): readonly string[] {
  const ended = new Map(tasks.map((line) => [line.task, line.ended]));
  const lastOf = (ids: Iterable<string>): string | undefined => {
    let last: string | undefined;
    for (const id of ids)
      if (ended.has(id) && (last === undefined || ended.get(id)! > ended.get(last)!)) last = id;
    return last;
  };
  const path: string[] = [];
  const seen = new Set<string>();
  for (let at = lastOf(ended.keys()); at !== undefined && !seen.has(at);) {
    path.push(at);
    seen.add(at);
    const task = graph.task(at);
    at = task && lastOf(graph.dependencies(task).map(({ id }) => id));
  }
  return path.reverse();
}
