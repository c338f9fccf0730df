/** `lq status`: shows what is not up to date, and why, like `git status`. Runs nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RecordedJob } from "../../batch/recorded-jobs.ts";
import { JOBS } from "../../model/layout.ts";
import {
  addedFiles,
  emptyRules,
  trialFailures,
  expanding,
  expandingText,
  plannedOrphans,
  type ExpandingRule,
} from "../../plan/warnings.ts";
import { setAsideText } from "../../plan/orphans.ts";
import type { Graph } from "../../expand/graph.ts";
import { commandField } from "../../fingerprint/render-command.ts";
import { undeclaredWarnings } from "../../plan/undeclared.ts";
import { briefCauseOf, groupByCause, mainReason } from "../../decide/explain.ts";
import { firstLines, firstNames } from "../../model/cut-list.ts";
import type { Diagnostic } from "../../model/errors.ts";
import type { Freshness } from "../../model/freshness.ts";
import { runningBuild, runningTasks, runningText, type RunningBuild } from "../../events/running-build.ts";
import { notAsked } from "../../remote/settings.ts";
import { allFreshLine } from "../../report/lines.ts";
import { painter, type Paint } from "../../report/paint.ts";
import { lacksOf, reasonsOf, statusOf, type TaskStatus } from "../../plan/status.ts";
import { hashingOptions, openProject, useColor, type CommonFlags } from "../options.ts";
import { print } from "../print.ts";
import { planned } from "../tasks-named.ts";

type FreshnessState = Freshness["state"];

/** Shown in place of "pending" for tasks without an input that nothing makes. */
const LACKS = "lacks an input";
type Shown = FreshnessState | typeof LACKS;

const COLOURS = {
  fresh: "green",
  stale: "yellow",
  missing: "yellow",
  restorable: "cyan",
  pending: "dim",
  [LACKS]: "red",
  failed: "red",
} as const;
const STATES = Object.keys(COLOURS) as readonly Shown[];
/** How many causes to list at most. */
const MOST = 30;

export async function runStatus(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const { session, plan } = await planned(project, targets, hashingOptions(flags));
  const tasks = statusOf(plan);
  const more = expanding(session, plan);
  const request = { ...project, targets };
  const { removals, kept } = plannedOrphans(session, request, plan);
  const warnings = [
    ...trialFailures(plan),
    ...emptyRules(request, session.graph),
    ...addedFiles(plan),
    ...undeclaredWarnings(session, plan),
  ];
  const isAllHere = tasks.every(({ freshness: { state } }) => state === "fresh" || state === "restorable");
  const unasked = isAllHere ? null : notAsked(project.pipeline.cache);
  const missing = isAllHere ? [] : session.graph.missingInputs(plan.selected);
  const running = runningBuild(session.root);
  const jobs = await jobsOf(session.root);
  if (flags.json)
    for (const line of [
      ...(running === null ? [] : [runningRecord(running)]),
      ...tasks.map((task) => ({ ...statusRecord(task, session.graph), ...jobs.get(task.id) })),
      ...more.map((each) => ({ type: "expanding", ...each })),
      ...removals.map((path) => ({ type: "removal", path })),
      ...kept.map((each) => ({ type: "orphans", ...each })),
      ...warnings.map((text) => ({ type: "notice", level: "warning", text })),
      ...(unasked === null ? [] : [{ type: "notice", level: "info", text: unasked }]),
    ])
      console.log(JSON.stringify(line));
  else if (!flags.quiet) {
    const paint = painter(useColor(process.stdout, flags.color));
    const now =
      running === null
        ? []
        : [runningText(running), ...firstLines(runningTasks(running), MOST, (text) => `  ${text}`), ""];
    const gone = [...removalLines(removals), ...kept.map(setAsideText)];
    const notes = [...gone, ...warnings, ...(unasked === null ? [] : [unasked])];
    print([...now, describeStatus(tasks, paint, more, missing), ...notes].join("\n"));
  }
  return 0;
}

function runningRecord({ head, state, heard, progress }: RunningBuild) {
  const { build, user, host, targets, flags, at: started } = head;
  const { done, total, running } = progress;
  return {
    ...{ type: "running", build, state, user, host, targets, flags, started, heard },
    ...{ done, total, running: running.map(({ id }) => id), left: progress.secondsLeft() },
    tasks: running.map((task) => ({ task: task.id, seconds: progress.elapsed(task), devices: task.devices })),
  };
}

/** Only a project that has had jobs loads the code that reads their records. */
async function jobsOf(root: string): Promise<ReadonlyMap<string, RecordedJob>> {
  if (!existsSync(join(root, JOBS))) return new Map();
  const { recordedJobs } = await import("../../batch/recorded-jobs.ts");
  return recordedJobs(root);
}

/** A line of `status --json`, and a link of `why --json`. */
export function statusRecord({ id, rule, freshness }: TaskStatus, graph: Graph) {
  const { state } = freshness;
  const reasons = reasonsOf(freshness);
  const on = state === "pending" ? freshness.on : [];
  return {
    type: "status",
    task: id,
    rule,
    state,
    ...commandField(graph.task(id)),
    reasons,
    on,
    lacks: lacksOf(freshness),
  };
}

/** The counts by rule, then the causes with the number of tasks that have each. */
export function describeStatus(
  tasks: readonly TaskStatus[],
  paint: Paint,
  more: readonly ExpandingRule[] = [],
  missing: readonly Diagnostic[] = [],
): string {
  const total = countStates(tasks);
  if (total.get("fresh") === tasks.length || tasks.length === 0) return allFreshLine(tasks.length, paint);
  const rules = groupByRule(tasks);
  const width = Math.max(...[...rules.keys(), ...more.map(({ rule }) => rule)].map(({ length }) => length));
  const counts = [...rules].map(
    ([rule, own]) => `  ${rule.padEnd(width)}  ${statesText(countStates(own), paint)}`,
  );
  const later = more.map((each) => `  ${each.rule.padEnd(width)}  ${expandingText(each)}`);
  return [
    ...counts,
    ...later,
    "",
    ...causes(tasks, paint),
    ...missingLines(missing, paint),
    "",
    statesText(total, paint),
  ].join("\n");
}

function removalLines(paths: readonly string[]): readonly string[] {
  const [first] = paths;
  if (first === undefined) return [];
  return [
    `a build would remove ${firstNames(paths, 1)}: no task makes ${paths.length === 1 ? "it" : "them"} any more`,
  ];
}

function missingLines(missing: readonly Diagnostic[], paint: Paint): readonly string[] {
  const line = ({ message, hint }: Diagnostic): string =>
    `  ${paint(COLOURS[LACKS], LACKS)}: ${message} ${paint("dim", `(${hint})`)}`;
  return firstLines(missing, MOST, line, { noun: "inputs" });
}

/** The first reason of each task, grouped by cause, the most frequent cause first. */
function causes(tasks: readonly TaskStatus[], paint: Paint): string[] {
  const groups = groupByCause(tasks, ({ rule, freshness }) => {
    const main = mainReason(reasonsOf(freshness), freshness.state);
    if (main === undefined) return null;
    return { cause: `${freshness.state}\0${briefCauseOf(main.reason, rule)}`, text: main.text };
  });
  return firstLines(
    groups,
    MOST,
    ({ text, items: [one, ...others] }) => {
      const state = one?.freshness.state ?? "stale";
      const who = others.length === 0 ? one?.id : `${others.length + 1} tasks, ${one?.id} …`;
      return `${paint(COLOURS[state], state)}: ${text} ${paint("dim", `(${who})`)}`;
    },
    { noun: "causes", hint: "--json lists every task" },
  ).map((line) => `  ${line}`);
}

function groupByRule(tasks: readonly TaskStatus[]): ReadonlyMap<string, readonly TaskStatus[]> {
  const rules = new Map<string, TaskStatus[]>();
  for (const task of tasks) {
    const own = rules.get(task.rule);
    if (own) own.push(task);
    else rules.set(task.rule, [task]);
  }
  return rules;
}

function countStates(tasks: readonly TaskStatus[]): ReadonlyMap<Shown, number> {
  const counts = new Map<Shown, number>();
  for (const { freshness } of tasks) {
    const shown = lacksOf(freshness).length > 0 ? LACKS : freshness.state;
    counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  return counts;
}

function statesText(counts: ReadonlyMap<Shown, number>, paint: Paint): string {
  return STATES.flatMap((state) => {
    const count = counts.get(state);
    if (count === undefined) return [];
    return [paint(COLOURS[state], `${count} ${state === LACKS && count > 1 ? "lack an input" : state}`)];
  }).join(", ");
}
