/** Forecast: what a build would run, why and for how long, and its critical path. Runs nothing. */
import { expectations, type Expected } from "./durations.ts";
import { findCannotRun, type CannotRun } from "./cannot-run.ts";
import { expanding, type ExpandingRule } from "./warnings.ts";
import { isDue, isSettled } from "./evaluate.ts";
import { makePlan, samples, upcomingExpansions, type Plan } from "./plan.ts";
import { notAsked } from "../remote/settings.ts";
import type { Request } from "../session/request.ts";
import { openReadonlySession } from "../session/session.ts";
import { briefCauseOf, explain, groupByCause } from "../decide/explain.ts";
import { loadConfig } from "../load/config.ts";
import type { Task } from "../model/model.ts";
import { cappedRules, discoverCapacity } from "../schedule/capacity.ts";
import { simulate } from "../schedule/simulate.ts";

export interface ForecastRequest extends Request {
  /** `-f`: count the targets as stale. */
  readonly force?: boolean | undefined;
  /** `-j`: cores to use. */
  readonly jobs?: number | undefined;
  /** `--slots gpu=2,cpu=8`, as typed: the slots of this machine, or of one that is only planned. */
  readonly slots?: string | undefined;
}

export interface Forecast {
  /** How many tasks a build would run, would restore, and would find fresh. */
  readonly run: number;
  readonly restore: number;
  readonly fresh: number;
  readonly rules: readonly RuleForecast[];
  /** Rules whose tasks can never start here. The times leave their tasks out, and all tasks behind them. */
  readonly cannotRun: readonly CannotRun[];
  /** How many tasks wait for one that can never start here. */
  readonly behind: number;
  /** Rules that ask for more cores than there are, in words. */
  readonly capped: readonly string[];
  readonly cores: number;
  readonly devices: number;
  readonly coreHours: number;
  readonly deviceHours: number;
  /** Seconds from start to end, on this machine or on the one that --slots and -j describe. */
  readonly makespan: number;
  /** Lower bound of the makespan in seconds: no order of the tasks is faster. */
  readonly atLeast: number;
  readonly criticalPath: { readonly seconds: number; readonly tasks: readonly PathStep[] };
  /** How many durations come from a record of the task, from the mean of its rule, or from neither (1 s each). */
  readonly durations: { readonly [from in Expected["from"]]: number };
  /** Rules for which no duration is known. */
  readonly unknownRules: readonly string[];
  /** Rules that will have more tasks when a file is there that a task must make first. */
  readonly expanding: readonly ExpandingRule[];
  /** That the remote cache was not asked, if it may have results of the tasks that would run; else null. */
  readonly notAsked: string | null;
}

export interface RuleForecast {
  readonly rule: string;
  readonly run: number;
  /** Sum over its tasks. */
  readonly seconds: number;
  /** Why they run, the most frequent reason first. */
  readonly reasons: readonly { readonly text: string; readonly tasks: number }[];
}

export interface PathStep {
  readonly task: string;
  readonly seconds: number;
}

/**
 * Counts every task that waits for a running task as if it ran too. A build may find it fresh, when the running task
 * writes the same bytes as before.
 *
 * @throws UserError if the request or the pipeline is wrong
 */
export async function forecast(request: ForecastRequest): Promise<Forecast> {
  const session = openReadonlySession(request);
  const plan = await makePlan(session, request.force === true);
  const all = [...plan.selected.tasks];
  const states = new Map(all.map((task) => [task, stateOf(plan, task)]));
  const due = all.filter((task) => states.get(task) === "run");
  const unknown = upcomingExpansions(session, plan);
  const wantsDevices = [...due, ...unknown].some(({ rule }) => rule.slots.gpu !== null);
  const { groups } = loadConfig(process.env);
  const { jobs, slots } = request;
  const { env } = process;
  const capacity = await discoverCapacity({ jobs, slots, groups, wantsDevices, played: true, env });
  const toRun = [...due, ...samples(session, unknown)];
  const dependencies = (task: Task) => session.graph.dependencies(task);
  const cannotRun = findCannotRun(plan, toRun, dependencies, capacity);
  const possible = due.filter((task) => !cannotRun.tasks.has(task) && !cannotRun.behind.has(task));
  const isPossible = new Set(possible);

  const expect = expectations(session.state, all);
  const expected = new Map(due.map((task) => [task, expect(task)]));
  const seconds = (task: Task): number => expected.get(task)?.seconds ?? 0;
  const schedule = simulate(
    {
      tasks: possible,
      dependencies: (task) => dependencies(task).filter((each) => isPossible.has(each)),
      seconds,
      slots: ({ rule }) => rule.slots,
    },
    capacity,
  );
  const from = (kind: Expected["from"]): Task[] =>
    possible.filter((task) => expected.get(task)?.from === kind);
  return {
    run: due.length,
    restore: count(states, "restore"),
    fresh: count(states, "fresh"),
    rules: byRule(plan, due, seconds),
    cannotRun: cannotRun.rules,
    behind: cannotRun.behind.size,
    capped: cappedRules(toRun, capacity),
    cores: capacity.cpu,
    devices: capacity.devices.length,
    coreHours: schedule.coreSeconds / 3600,
    deviceHours: schedule.deviceSeconds / 3600,
    makespan: schedule.makespan,
    atLeast: Math.max(schedule.criticalPath.seconds, schedule.evenly),
    criticalPath: {
      seconds: schedule.criticalPath.seconds,
      tasks: schedule.criticalPath.tasks.map((task) => ({ task: task.id, seconds: seconds(task) })),
    },
    durations: { record: from("record").length, rule: from("rule").length, nothing: from("nothing").length },
    unknownRules: [...new Set(from("nothing").map(({ rule }) => rule.name))],
    expanding: expanding(session, plan),
    notAsked: due.length > 0 ? notAsked(request.pipeline.cache) : null,
  };
}

type ForecastAction = "run" | "restore" | "fresh";

function stateOf({ verdicts }: Plan, task: Task): ForecastAction {
  const verdict = verdicts.get(task);
  if (verdict === undefined || !isSettled(verdict)) return "run";
  return verdict.state === "fresh" ? "fresh" : "restore";
}

function count(states: ReadonlyMap<Task, ForecastAction>, state: ForecastAction): number {
  return [...states.values()].filter((each) => each === state).length;
}

function byRule(plan: Plan, due: readonly Task[], seconds: (task: Task) => number): readonly RuleForecast[] {
  const rules = new Map<string, Task[]>();
  for (const task of due) {
    const own = rules.get(task.rule.name) ?? [];
    rules.set(task.rule.name, own);
    own.push(task);
  }
  return [...rules].map(([rule, tasks]) => {
    const reasons = groupByCause(tasks, (task) => firstReason(plan, task));
    return {
      rule,
      run: tasks.length,
      seconds: tasks.reduce((sum, task) => sum + seconds(task), 0),
      reasons: reasons.map(({ text, items }) => ({ text, tasks: items.length })),
    };
  });
}

/** @returns the reason as text, and a cause that is equal for tasks of a rule with the same kind of reason */
function firstReason(
  { verdicts, blockers }: Plan,
  task: Task,
): { readonly cause: string; readonly text: string } {
  const same = (text: string) => ({ cause: text, text });
  const verdict = verdicts.get(task);
  if (verdict !== undefined && isDue(verdict)) {
    const { state, reasons } = verdict;
    const [first] = reasons;
    if (first === undefined) return same(state);
    return { cause: briefCauseOf(first, task.rule.name), text: explain(first) };
  }
  const rules = new Set(blockers(task).map(({ rule }) => rule.name));
  return same(rules.size === 0 ? "an input is missing" : `after ${[...rules].join(", ")}`);
}
