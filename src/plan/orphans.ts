/**
 * Finds and removes orphans: outputs that lq wrote for tasks that are no longer in the graph.
 *
 * A build removes the outputs of single tasks that are gone (a case less); the cache keeps their content. If a task may
 * be gone by mistake (its whole rule is gone, a glob matches nothing), lq keeps its outputs until `lq clean --orphans`.
 * If somebody edited an output that a build would remove, lq keeps the file and forgets it: it belongs to the user now.
 * If lq cannot read one, somebody may have edited it: lq leaves it and looks again in the next build.
 */
import { absolute, ancestors, normalise, parentOf } from "../model/paths.ts";
import type { Graph } from "../expand/graph.ts";
import { whyNoTasks } from "../expand/no-tasks.ts";
import { firstNames } from "../model/cut-list.ts";
import type { Pipeline, Task } from "../model/model.ts";
import { ruleOf } from "../model/task-id.ts";
import { differingFile, refusalText, recordedOutputState, straysOf } from "../record/outputs.ts";
import type { WrittenOutput } from "../state/records.ts";
import { removeOutput } from "./remove-output.ts";
import type { Request } from "../session/request.ts";
import type { Session } from "../session/session.ts";

/** Whether a build may remove orphans at this path: everywhere, or only beside its targets and below their inputs. */
export type Covers = (path: string) => boolean;

export interface Orphan {
  readonly path: string;
  /** Id of the task that made it. */
  readonly task: string;
  readonly output: WrittenOutput;
  /** What a build does with it. */
  readonly decision: "remove" | "disown" | "leave" | "set-aside" | "forget";
}

/** The orphans of one rule that a build keeps. */
export interface SetAside {
  readonly rule: string;
  readonly paths: readonly string[];
  readonly why: string;
}

/** Carries out the decision for each orphan. @returns all orphans */
export function clearOrphans(
  session: Session,
  covers: Covers,
  notice: (text: string) => void,
): readonly Orphan[] {
  const found = orphans(session, covers);
  for (const orphan of found) if (orphan.decision !== "set-aside") clear(session, orphan, notice);
  return found;
}

function clear(
  session: Session,
  { path, task, output, decision }: Orphan,
  notice: (text: string) => void,
): void {
  const { root, state, store, files } = session;
  if (decision === "leave") {
    const why = refusalText(session, path);
    notice(`kept ${path}: no task makes it any more, but ${why}`);
    // The next build must look at it again, so it must not use a snapshot.
    return files.forget([]);
  }
  if (decision === "remove") {
    const key = state.owner(path)?.key ?? null;
    if (key !== null) store.touchAction(key);
    removeOutput(root, path, straysOf(session, output));
    notice(`removed ${path}, which no task makes any more`);
  } else if (decision === "disown") {
    const file = differingFile(session, task, path);
    const what = file === path ? "it" : file;
    notice(`kept ${path}: no task makes it any more, but ${what} was edited; it is yours now`);
  }
  files.forget(output.kind === "file" ? [path] : output.entries.map(({ name }) => path + name));
  state.forgetOutput(path);
}

const DECISIONS = { intact: "remove", edited: "disown", unreadable: "leave", missing: "forget" } as const;

export function orphans(session: Session, covers: Covers): readonly Orphan[] {
  const { graph, state } = session;
  return [...state.ownedPaths()].flatMap((path): readonly Orphan[] => {
    if (mayBeMade(graph, path) || !covers(path)) return [];
    const owner = state.owner(path);
    if (owner === undefined) return [];
    const { id: task, output } = owner;
    const decision = DECISIONS[recordedOutputState(session, output)];
    const isKept = decision !== "forget" && graph.mayComeBack(task) && !isInTheWay(graph, path);
    return [{ path, task, output, decision: isKept ? "set-aside" : decision }];
  });
}

export function mayBeMade(graph: Graph, path: string): boolean {
  return graph.producer(path) !== undefined || graph.expansionsFor(path).length > 0;
}

/** Whether an output of the graph needs this path: one is a folder above the other, or they differ only in kind. */
function isInTheWay(graph: Graph, path: string): boolean {
  const bare = path.replace(/\/$/, "");
  const above = [...ancestors(path)].map((folder) => folder.slice(0, -1));
  return (
    [bare, `${bare}/`, ...above].some((each) => graph.producer(each) !== undefined) ||
    graph.producersUnder(`${bare}/`).length > 0
  );
}

/** The orphans that a build keeps, by rule. */
export function setAside({ rules }: Pipeline, found: readonly Orphan[]): readonly SetAside[] {
  const byRule = new Map<string, string[]>();
  for (const { path, task, decision } of found) {
    if (decision !== "set-aside") continue;
    const name = ruleOf(task);
    const paths = byRule.get(name);
    if (paths) paths.push(path);
    else byRule.set(name, [path]);
  }
  return [...byRule].map(([name, paths]) => {
    const rule = rules.get(name);
    return {
      rule: name,
      paths: paths.sort(),
      why: rule ? whyNoTasks(rule) : "the rule is not in the pipeline",
    };
  });
}

/** "kept seg/1.txt and 35 more of rule "segment": there is no file raw/*.txt; …" */
export function setAsideText({ rule, paths, why }: SetAside): string {
  const them = paths.length === 1 ? "it" : "them";
  return `kept ${firstNames(paths, 1)} of rule "${rule}": ${why}; lq clean --orphans removes ${them}`;
}

/** Without targets a build covers everything, else the folders of its tasks' outputs, its targets and inputs. */
export function coverage({ pipeline, targets, cwd }: Request, tasks: Iterable<Task>): Covers {
  if (targets.length === 0) return () => true;
  const folders = new Set<string>();
  const trees = new Set(targets.map((target) => normalise(pipeline.root, `${absolute(cwd, target)}/`)));
  for (const { inputs, outputs } of tasks) {
    for (const { path } of outputs) folders.add(parentOf(path));
    for (const { path } of inputs) if (path.endsWith("/")) trees.add(path);
  }
  return (path) => folders.has(parentOf(path)) || [...trees].some((tree) => path.startsWith(tree));
}
