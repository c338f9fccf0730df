/** Describes the whole project: its rules, all tasks as columns, and why tasks are stale. */
import { basename } from "node:path";
import { VERSION } from "../../cli/version.ts";
import type { Build } from "../../history/builds.ts";
import { reasonsOf } from "../../plan/status.ts";
import { emptyRules, expanding, trialFailures } from "../../plan/warnings.ts";
import type { Inspection } from "../inspect-project.ts";
import { TASK_STATES, type BuildLineView, type CauseView, type ProjectView } from "../messages.ts";
import { firstCauses, type WhyTasksRun } from "./causes.ts";
import { hasResults } from "./results.ts";

/** How many builds the page offers at most. */
const MOST_BUILDS = 200;

export function projectView(inspection: Inspection): ProjectView {
  const { session, plan, project, root } = inspection;
  const { graph } = session;
  const rules = [...project.pipeline.rules.keys()];
  const places = new Map(rules.map((name, i) => [name, i]));
  const tasks = graph.tasks.filter((task) => plan.selected.tasks.has(task));
  const more = new Map(expanding(session, plan).map(({ rule, files }) => [rule, files]));
  const from = rules.map(() => new Set<number>());
  for (const task of tasks)
    for (const maker of graph.dependencies(task))
      from[places.get(task.rule.name) ?? 0]?.add(places.get(maker.rule.name) ?? 0);
  return {
    name: basename(root),
    root,
    version: VERSION,
    at: inspection.at,
    error: null,
    rules: rules.map((name, i) => ({
      ...{ name, moreAfter: more.get(name) ?? [] },
      ...{ from: [...(from[i] ?? [])], omitted: null },
    })),
    groups: project.pipeline.show.groups,
    tasks: {
      id: tasks.map(({ id, rule }) => id.slice(rule.name.length + 1)),
      rule: tasks.map(({ rule }) => places.get(rule.name) ?? 0),
      state: tasks.map(({ id }) => TASK_STATES.indexOf(inspection.stateOf(id) ?? "pending")),
      seconds: tasks.map(({ id }) => rounded(session.state.seconds(id))),
    },
    causes: staleCauses(inspection),
    notices: [...trialFailures(plan), ...emptyRules({ ...project, targets: [] }, graph)],
    hasResults: hasResults(inspection),
    builds: inspection.builds.slice(0, MOST_BUILDS).map(buildLine),
  };
}

/** The view of a project that has mistakes. */
export function brokenProject(root: string, error: string): ProjectView {
  const tasks = { id: [], rule: [], state: [], seconds: [] };
  const nothing = { rules: [], groups: [], tasks, causes: [], notices: [], builds: [], hasResults: false };
  return { name: basename(root), root, version: VERSION, at: Date.now(), error, ...nothing };
}

export function buildLine({ number, started, targets, tasks, summary }: Build): BuildLineView {
  const count = (outcome: string): number => tasks.filter((task) => task.outcome === outcome).length;
  const ended = summary?.ended ?? tasks.reduce((last, task) => Math.max(last, task.ended), started);
  return {
    build: number,
    started,
    seconds: (ended - started) / 1000,
    targets,
    complete: summary !== null,
    ran: summary?.ran ?? count("ran"),
    restored: summary?.restored ?? count("restored"),
    failed: summary?.failed ?? count("failed"),
  };
}

function staleCauses({ statuses, session }: Inspection): readonly CauseView[] {
  const why = [...statuses.values()].flatMap(({ id, rule, freshness }): WhyTasksRun[] =>
    freshness.state === "fresh"
      ? []
      : [{ task: id, rule, reasons: reasonsOf(freshness), after: "on" in freshness ? freshness.on : [] }],
  );
  return firstCauses(why, (path) => session.graph.producer(path)?.id);
}

/** Rounds to three digits, which are enough to show and make the answer shorter. */
function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Number(seconds.toPrecision(3));
}
