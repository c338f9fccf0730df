/**
 * Removes outputs that lq wrote for tasks that are no longer in the graph. If somebody edited an output since, lq keeps
 * the file and forgets it: it belongs to the user now. If lq cannot read an output, somebody may have edited it: lq
 * leaves it and looks again in the next build.
 */
import { absolute, normalise, parentOf } from "../model/paths.ts";
import type { Graph } from "../expand/graph.ts";
import type { Task } from "../model/model.ts";
import { refusalText, recordedOutputState } from "../record/outputs.ts";
import type { WrittenOutput } from "../state/records.ts";
import { removeOutput } from "./remove-output.ts";
import type { Request } from "../session/request.ts";
import type { Session } from "../session/session.ts";

/** Whether a build may remove orphans at this path: everywhere, or only beside its targets and below their inputs. */
export type Covers = (path: string) => boolean;

export function removeOrphans(session: Session, covers: Covers, notice: (text: string) => void): void {
  const { root, state, files } = session;
  for (const { path, output, decision: fate } of orphans(session, covers)) {
    if (fate === "leave") {
      const why = refusalText(session, path);
      notice(`kept ${path}: no task makes it any more, but ${why}`);
      // The next build must look at it again, so it must not use a snapshot.
      files.forget([]);
      continue;
    }
    if (fate === "remove") {
      removeOutput(root, path);
      notice(`removed ${path}, which no task makes any more`);
    } else if (fate === "keep") {
      notice(`kept ${path}: no task makes it any more, but it was edited; it is yours now`);
    }
    files.forget(output.kind === "file" ? [path] : output.entries.map(({ name }) => path + name));
    state.forgetOutput(path);
  }
}

export interface Orphan {
  readonly path: string;
  readonly output: WrittenOutput;
  /** What lq does with it; null: it is gone already. */
  readonly decision: "remove" | "keep" | "leave" | null;
}

const DECISIONS = { intact: "remove", edited: "keep", unreadable: "leave", missing: null } as const;

export function orphans(session: Session, covers: Covers): readonly Orphan[] {
  const { graph, state } = session;
  return [...state.ownedPaths()].flatMap((path): readonly Orphan[] => {
    if (mayBeMade(graph, path) || !covers(path)) return [];
    const output = state.owner(path)?.output;
    return output === undefined
      ? []
      : [{ path, output, decision: DECISIONS[recordedOutputState(session, output)] }];
  });
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

function mayBeMade(graph: Graph, path: string): boolean {
  return graph.producer(path) !== undefined || graph.expansionsFor(path).length > 0;
}
