/**
 * `lq plan`: shows what a build would run, why, and how long it would take, here or on another machine. Runs nothing.
 */
import { forecast, type Forecast, type RuleForecast } from "../../plan/forecast.ts";
import { UNKNOWN } from "../../plan/durations.ts";
import { expandingText } from "../../plan/warnings.ts";
import { firstLines, moreLines } from "../../model/cut-list.ts";
import { duration } from "../../report/lines.ts";
import { painter, type Paint } from "../../report/paint.ts";
import { hashingOptions, openProject, useColor, type CommonFlags } from "../options.ts";
import { print } from "../print.ts";

/** How many reasons of a rule, and how many steps of the critical path, to show at most. */
const SHOWN = { reasons: 3, steps: 20 };

export async function runPlan(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const { pipeline, cwd } = openProject(flags);
  const { jobs, slots, force } = flags;
  const found = await forecast({
    pipeline,
    cwd,
    targets,
    jobs,
    slots,
    force,
    hashing: hashingOptions(flags),
  });
  if (flags.json) console.log(JSON.stringify({ type: "forecast", ...found }));
  else print(describe(found, painter(useColor(process.stdout, flags.color))).join("\n"));
  return 0;
}

function describe(found: Forecast, paint: Paint): readonly string[] {
  const { run, restore, fresh, expanding } = found;
  const total = run + restore + fresh;
  const others = [restore > 0 ? `${restore} would be restored` : "", fresh > 0 ? `${fresh} are fresh` : ""];
  const counts = [`${run} of ${total} tasks would run`, ...others.filter((part) => part !== "")].join(", ");
  return [
    counts,
    ...found.rules.flatMap((rule) => describeRule(rule, found, paint)),
    ...expanding.map((each) => `  ${paint("bold", each.rule)} ${expandingText(each)}`),
    ...describeCannotRun(found, paint),
    ...found.capped.map((text) => `  ${text}`),
    ...(found.criticalPath.tasks.length === 0
      ? []
      : ["", ...describeTime(found), "", ...describePath(found, paint)]),
    ...(found.notAsked === null ? [] : ["", found.notAsked]),
  ];
}

function describeRule(
  { rule, run, seconds, reasons }: RuleForecast,
  { rules }: Forecast,
  paint: Paint,
): string[] {
  const width = Math.max(...rules.map((each) => each.rule.length));
  const causes = reasons
    .slice(0, SHOWN.reasons)
    .map(({ text, tasks }) => (tasks === run ? text : `${text} (${tasks})`));
  const more = moreLines(reasons.length, causes.length, { noun: "reasons", hint: null });
  const why = [...causes, ...more].join("; ");
  const time = `${run} × ${duration(seconds / run)}`;
  return [`  ${paint("bold", rule.padEnd(width))}  ${time.padEnd(16)}  ${paint("dim", why)}`];
}

function describeCannotRun({ cannotRun, behind }: Forecast, paint: Paint): string[] {
  if (cannotRun.length === 0) return [];
  const rules = cannotRun.map(({ rule, tasks, why }) => {
    const count = tasks === 1 ? "" : ` (${tasks} tasks)`;
    return `  ${paint("red", "cannot run here")}: ${paint("bold", rule)}${count}: ${why}`;
  });
  const others = behind === 0 ? "" : `, nor the ${behind === 1 ? "task" : `${behind} tasks`} behind them`;
  return [...rules, `  the times do not count them${others}; build -k builds all others`];
}

function describeTime(found: Forecast): string[] {
  const { cores, devices, coreHours, deviceHours, makespan, atLeast, durations, unknownRules } = found;
  const gpus = devices === 0 ? "" : ` and ${devices} GPU${devices === 1 ? "" : "s"}`;
  const work = [
    `${hours(coreHours)} core-hours`,
    ...(devices === 0 ? [] : [`${hours(deviceHours)} GPU-hours`]),
  ];
  const known = [
    durations.record > 0 ? `${durations.record} as in their last run` : "",
    durations.rule > 0 ? `${durations.rule} the mean of their rule` : "",
    durations.nothing > 0
      ? `${durations.nothing} unknown, counted as ${UNKNOWN} s each (${unknownRules.join(", ")})`
      : "",
  ].filter((part) => part !== "");
  return [
    `about ${duration(makespan)} with ${cores} core${cores === 1 ? "" : "s"}${gpus} (no order takes less than ${duration(atLeast)})`,
    `work: ${work.join(", ")}`,
    `durations: ${known.join(", ")}`,
  ];
}

function describePath({ criticalPath: { seconds, tasks } }: Forecast, paint: Paint): string[] {
  return [
    `critical path, ${duration(seconds)}:`,
    ...firstLines(tasks, SHOWN.steps, (step) => `${step.task} ${paint("dim", duration(step.seconds))}`).map(
      (line) => `  ${line}`,
    ),
  ];
}

function hours(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toFixed(1);
}
