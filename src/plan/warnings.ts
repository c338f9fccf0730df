/** Notices before a build that are not about one task: more tasks to come, removals, likely mistakes. */
import { rulesWithoutTasks, whyNoTasks } from "../expand/no-tasks.ts";
import { globsIn } from "../expand/glob.ts";
import type { Graph } from "../expand/graph.ts";
import { firstNames } from "../model/cut-list.ts";
import type { Rule, Task } from "../model/model.ts";
import { coverage, orphans, setAside, type SetAside } from "./orphans.ts";
import { upcomingExpansions, type Plan } from "./plan.ts";
import type { Request } from "../session/request.ts";
import type { Session } from "../session/session.ts";

/** A rule that gets more tasks when these files are there. */
export interface ExpandingRule {
  readonly rule: string;
  readonly files: readonly string[];
}

export function expanding(session: Session, plan: Plan): readonly ExpandingRule[] {
  const files = new Map<string, Set<string>>();
  for (const { rule, file } of upcomingExpansions(session, plan))
    files.set(rule.name, (files.get(rule.name) ?? new Set<string>()).add(file));
  return [...session.graph.pipeline.rules.keys()].flatMap((rule) => {
    const own = files.get(rule);
    return own ? [{ rule, files: [...own] }] : [];
  });
}

/** "has tasks that are known when folds.json is there" */
export function expandingText({ files }: ExpandingRule): string {
  return `has tasks that are known when ${firstNames(files, 1)} ${files.length === 1 ? "is" : "are"} there`;
}

/** The outputs that no task makes any more: those that the build would remove, and those that it keeps. */
export function plannedOrphans(
  session: Session,
  request: Request,
  { selected }: Plan,
): { readonly removals: readonly string[]; readonly kept: readonly SetAside[] } {
  const found = orphans(session, coverage(request, selected.tasks));
  return {
    removals: found.flatMap(({ path, decision }) => (decision === "remove" ? [path] : [])),
    kept: setAside(request.pipeline, found),
  };
}

/** Files that somebody added to output folders of fresh tasks. */
export function addedFiles({ verdicts }: Plan): readonly string[] {
  const list: string[] = [];
  for (const [{ id }, verdict] of verdicts)
    if (verdict.state === "fresh")
      for (const file of verdict.added ?? [])
        list.push(`${file} is in an output folder of ${id}, which did not make it: move it elsewhere`);
  return list;
}

/** Tasks that failed in a trial run. */
export function trialFailures({ failures }: Plan): readonly string[] {
  return [...failures].map(([{ id }, error]) => `${id} would fail: ${error}`);
}

/** Rules without tasks in a request for everything, because their patterns match nothing. */
export function emptyRules({ pipeline, targets }: Request, graph: Graph): readonly string[] {
  if (targets.length > 0 || pipeline.default.length > 0) return [];
  const isAll = graph.tasks.length + graph.expansions.length === 0;
  const isGlob = ({ each }: Rule): boolean => each.some(({ axis }) => globsIn(axis).length > 0);
  return rulesWithoutTasks(graph)
    .filter((rule) => isAll || isGlob(rule))
    .map((rule) => `rule "${rule.name}" has no tasks: ${whyNoTasks(rule)}`);
}

/** Rules of these tasks whose commands can only fail, because they never name an output. */
export function unwrittenOutputs(tasks: Iterable<Task>): readonly string[] {
  const rules = new Set([...tasks].map(({ rule }) => rule));
  return [...rules]
    .filter(namesNoOutput)
    .map(
      ({ name }) =>
        `the command of rule "${name}" never names \${out}: it must write there, and lq brings that to its place`,
    );
}

function namesNoOutput({ action }: Rule): boolean {
  if (action.kind !== "cmd") return false;
  const texts = "parts" in action.command ? [action.command] : action.command;
  return !texts.some(({ parts }) => parts.some(({ kind }) => kind === "out"));
}
