/** Dry run: sends the events that a build would send, and changes nothing. */
import { commandField } from "../fingerprint/render-command.ts";
import { isDue } from "../plan/evaluate.ts";
import { isCached, isToBeMade } from "../plan/plan.ts";
import { undeclaredWarnings } from "../plan/undeclared.ts";
import { setAsideText } from "../plan/orphans.ts";
import {
  addedFiles,
  emptyRules,
  expanding,
  expandingText,
  plannedOrphans,
  unwrittenOutputs,
} from "../plan/warnings.ts";
import { notAsked } from "../remote/settings.ts";
import { openSession } from "../session/session.ts";
import { RUN } from "./mode.ts";
import { protectedOutputs } from "./protect.ts";
import { longCommands } from "./refuse.ts";
import type { Outcomes } from "./outcomes.ts";
import type { BuildRequest, Summary } from "./request.ts";

export async function dryRun(request: BuildRequest, outcomes: Outcomes): Promise<Summary> {
  const { mode = RUN, force = false } = request;
  const warn = (text: string): void => outcomes.notice(text, "warning");
  const session = openSession(request, {
    readonly: true,
    notice: warn,
    hashing: { progress: outcomes.hashing, signal: request.signal },
  });
  emptyRules(request, session.graph).forEach(warn);
  const plan = await mode.plan(session, force);
  const { tasks } = plan.selected;
  const due = [...tasks].filter((task) => plan.verdicts.get(task)?.state !== "fresh");
  outcomes.plan(tasks, session.state);
  const mayRun = [...tasks].filter((task) => !isCached(plan, task));
  unwrittenOutputs(mayRun).forEach(warn);
  undeclaredWarnings(session, plan).forEach(warn);
  const refused = [
    ...(force ? [] : protectedOutputs(session, due, (task) => isToBeMade(plan, task))),
    ...longCommands(mayRun),
    ...(due.length > 0 ? session.graph.missingInputs(plan.selected) : []),
  ];
  for (const { message, hint } of refused)
    warn(`lq build would refuse: ${message}${hint === undefined ? "" : ` (hint: ${hint})`}`);
  const { removals, kept } = plannedOrphans(session, request, plan);
  for (const path of removals) outcomes.notice(`would remove ${path}, which no task makes any more`);
  outcomes.remove(removals.length);
  for (const text of addedFiles(plan)) outcomes.notice(text);
  for (const each of kept) outcomes.notice(setAsideText(each));
  for (const task of tasks) {
    const verdict = plan.verdicts.get(task);
    const error = plan.failures.get(task);
    if (verdict?.state === "lacks-input")
      outcomes.finish({
        task,
        outcome: "failed",
        error: `its input ${verdict.paths.join(", ")} is not there`,
      });
    else if (error !== undefined) outcomes.finish({ task, outcome: "failed", error });
    else if (verdict?.state === "fresh") outcomes.finish({ task, outcome: "fresh" });
    else if (verdict?.state === "restorable")
      outcomes.finish({ task, outcome: "restored", reasons: verdict.reasons });
    else if (verdict !== undefined && isDue(verdict))
      outcomes.finish({ task, outcome: mode.outcome, reasons: verdict.reasons, ...commandField(task) });
    else outcomes.finish({ task, outcome: mode.unreached });
  }
  mode.dryRunWarnings(plan).forEach(warn);
  const unasked =
    mode.usesRemote && due.some((task) => !isCached(plan, task)) ? notAsked(request.pipeline.cache) : null;
  if (unasked !== null) outcomes.notice(unasked);
  for (const each of expanding(session, plan)) outcomes.notice(`${each.rule} ${expandingText(each)}`);
  return outcomes.summary();
}
