/** `lq history [TARGET…]`: lists the last builds, or the runs of the tasks that targets name. */
import { countOutcomes, countsOf, countsText } from "../../model/counts.ts";
import { explain } from "../../decide/explain.ts";
import { type Build, builds } from "../../history/builds.ts";
import { UserError } from "../../model/errors.ts";
import { duration } from "../../report/lines.ts";
import { printableLine } from "../../report/printable.ts";
import { openProject, type CommonFlags } from "../options.ts";
import { localTime } from "../local-time.ts";
import { print } from "../print.ts";
import { runHistoryParams } from "./history-params.ts";
import { tasksNamed } from "../tasks-named.ts";

export interface HistoryFlags extends CommonFlags {
  readonly most: number;
  readonly params?: boolean;
  readonly where?: readonly string[];
  readonly csv?: boolean;
}

export async function runHistory(targets: readonly string[], flags: HistoryFlags): Promise<number> {
  if (flags.params === true) return runHistoryParams(targets, flags);
  if (flags.csv === true || flags.where !== undefined)
    throw new UserError({
      message: "--where and --csv are for --params",
      hint: "lq history TARGET --params",
    });
  const project = openProject(flags);
  const { root } = project.pipeline;
  const lines =
    targets.length === 0
      ? ofBuilds(root)
      : ofTasks(root, new Set((await tasksNamed(project, targets)).map(({ id }) => id)));
  let shown = 0;
  for (const { json, text } of lines) {
    if (shown++ === flags.most) break;
    if (flags.json === true) console.log(JSON.stringify(json));
    else print(printableLine(text));
  }
  if (shown === 0 && flags.json !== true) print("nothing is on record yet");
  return 0;
}

interface Line {
  readonly json: object;
  readonly text: string;
}

function* ofBuilds(root: string): Generator<Line> {
  for (const build of builds(root)) {
    const { number, started, targets, summary } = build;
    const seconds = (endOf(build) - started) / 1000;
    const counts = countsOf(summary ?? countOutcomes(build.tasks));
    const state = summary === null ? ", cut short" : "";
    yield {
      json: {
        type: "build",
        build: number,
        started,
        seconds,
        targets,
        complete: summary !== null,
        ...counts,
      },
      text: `${String(number).padStart(5)}  ${localTime(started)}  ${duration(seconds).padStart(12)}  ${countsText(counts)}${state}  ${targets.join(" ")}`.trimEnd(),
    };
  }
}

function* ofTasks(root: string, ids: ReadonlySet<string>): Generator<Line> {
  for (const { number, tasks } of builds(root))
    for (const run of tasks.toReversed()) {
      if (!ids.has(run.task)) continue;
      const seconds = (run.ended - run.started) / 1000;
      const [first] = run.reasons;
      yield {
        json: { ...run, type: "run", build: number, seconds },
        text: `${String(number).padStart(5)}  ${localTime(run.started)}  ${duration(seconds).padStart(12)}  ${run.outcome} ${run.task}${first ? `: ${explain(first)}` : ""}`,
      };
    }
}

function endOf({ summary, tasks, started }: Build): number {
  return summary?.ended ?? Math.max(started, ...tasks.map(({ ended }) => ended));
}
