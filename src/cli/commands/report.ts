/** `lq report`: shows where a build's time went. */
import { countsText, noCounts } from "../../model/counts.ts";
import { resolve } from "node:path";
import { UserError } from "../../model/errors.ts";
import { ruleOf } from "../../model/task-id.ts";
import { type Build, buildNumbered } from "../../history/builds.ts";
import type { TaskLine } from "../../history/lines.ts";
import { chromeTrace, TRACE_MARK } from "../../inspect/chrome-trace.ts";
import { duration } from "../../report/lines.ts";
import { printableLine } from "../../report/printable.ts";
import { openProject, startFolder, type CommonFlags } from "../options.ts";
import { localTime } from "../local-time.ts";
import { print } from "../print.ts";
import { refuseForeignFile, writeOwnFile } from "../write-own-file.ts";

export interface ReportFlags extends CommonFlags {
  readonly build?: number;
  readonly chromeTrace?: string;
  readonly limit?: number;
}

/** How many of the longest tasks to list. */
const LONGEST = 10;

export function runReport(_: readonly string[], flags: ReportFlags): Promise<number> {
  if (flags.limit !== undefined)
    throw new UserError({ message: "--limit goes with --html", hint: "lq report --html FILE --limit 20MiB" });
  const { pipeline } = openProject(flags);
  const build = buildNumbered(pipeline.root, flags.build);
  if (flags.chromeTrace !== undefined) writeTrace(flags, flags.chromeTrace, build);
  const report = summarise(build);
  if (flags.json === true) console.log(JSON.stringify({ type: "report", ...report }));
  else if (flags.quiet !== true) print(describe(report));
  return Promise.resolve(0);
}

function writeTrace(flags: ReportFlags, shown: string, build: Build): void {
  const file = resolve(startFolder(flags), shown);
  refuseForeignFile(file, shown, TRACE_MARK);
  try {
    writeOwnFile(file, JSON.stringify(chromeTrace(build)));
  } catch (error) {
    throw new UserError(`the trace cannot be written: ${(error as Error).message}`);
  }
}

function summarise(build: Build) {
  const { number, started, tasks, summary } = build;
  const ended = summary?.ended ?? Math.max(started, ...tasks.map((task) => task.ended));
  const rules = new Map<string, { counts: ReturnType<typeof noCounts>; seconds: number }>();
  for (const line of tasks) {
    const name = ruleOf(line.task);
    const rule = rules.get(name) ?? { counts: noCounts(), seconds: 0 };
    rules.set(name, rule);
    rule.counts[line.outcome] += 1;
    rule.seconds += secondsOf(line);
  }
  const work = [...rules.values()].reduce((sum, rule) => sum + rule.seconds, 0);
  const seconds = (ended - started) / 1000;
  return {
    build: number,
    started,
    seconds,
    complete: summary !== null,
    work,
    /** How many tasks ran at once, on average. */
    parallel: seconds > 0 ? work / seconds : 0,
    rules: [...rules]
      .map(([rule, { counts, seconds: own }]) => ({ rule, ...counts, seconds: own }))
      .sort((a, b) => b.seconds - a.seconds),
    longest: tasks
      .toSorted((a, b) => secondsOf(b) - secondsOf(a))
      .slice(0, LONGEST)
      .map((line) => ({ task: line.task, outcome: line.outcome, seconds: secondsOf(line) })),
  };
}

function secondsOf({ started, ended }: TaskLine): number {
  return (ended - started) / 1000;
}

function describe(report: ReturnType<typeof summarise>): string {
  const { build, started, seconds, work, parallel, rules, longest, complete } = report;
  const width = Math.max(...rules.map(({ rule }) => rule.length), 0);
  return [
    `build ${build}, ${localTime(started)}: ${duration(seconds)}${complete ? "" : " (cut short)"}; ${duration(work)} of work, ${parallel.toFixed(1)} tasks at once`,
    "",
    ...rules.map(
      ({ rule, seconds: own, ...counts }) =>
        `  ${rule.padEnd(width)}  ${duration(own).padStart(12)}  ${((100 * own) / Math.max(work, 1e-9)).toFixed(0).padStart(3)} %  ${countsText(counts)}`,
    ),
    "",
    "longest:",
    ...longest.map(({ task, seconds: own }) => `  ${duration(own).padStart(12)}  ${printableLine(task)}`),
  ].join("\n");
}
