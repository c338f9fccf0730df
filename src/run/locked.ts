/** Finds the tasks that lq.lock has lines for, in a graph that it expands from files on the disk. */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import type { Request } from "../session/request.ts";
import type { Session } from "../session/session.ts";
import { parseData } from "../expand/data.ts";
import { absolute } from "../model/paths.ts";
import { filesUnder, treeDigest } from "../fingerprint/tree.ts";
import type { Task } from "../model/model.ts";
import { isAsWritten } from "../record/difference.ts";
import { select } from "../select/select.ts";
import { unmatchedError } from "../select/unmatched.ts";
import { digestOfOutputs, readLockFile, type LockedTask } from "../lockfile/lockfile.ts";

export interface Locked {
  readonly id: string;
  readonly line: LockedTask;
  /** Null: the graph has no such task, as far as lq knows now. */
  readonly task: Task | null;
}

/**
 * The lines that the targets cover; without targets, all lines. Unlike a build this does not check inputs: a clone
 * need not have the data that the outputs were made from.
 */
export function lockedTasks({ root, graph }: Session, { targets, cwd }: Request): readonly Locked[] {
  expandFromDisk(root, graph);
  const lines = [...readLockFile(root)];
  if (targets.length === 0) return lines.map(([id, line]) => ({ id, line, task: graph.task(id) ?? null }));
  const folder = relative(root, cwd);
  const { named, unmatched } = select(graph, targets, folder);
  if (unmatched.length > 0) throw unmatchedError(graph, unmatched, folder);
  const wanted = new Set([...named].map(({ id }) => id));
  return lines.flatMap(([id, line]) => (wanted.has(id) ? [{ id, line, task: graph.task(id) ?? null }] : []));
}

/** Expands the graph from files on the disk. @returns whether the graph has new tasks */
export function expandFromDisk(root: string, graph: Session["graph"]): boolean {
  let expanded = false;
  for (let more = true; more;) {
    more = false;
    for (const expansion of graph.expansions) {
      const file = absolute(root, expansion.file);
      if (!existsSync(file)) continue;
      graph.expand(expansion, parseData(readFileSync(file, "utf8"), expansion.file));
      [more, expanded] = [true, true];
    }
  }
  return expanded;
}

/** The digest that lq.lock would have for the outputs that are on the disk; null if one of them is missing. */
export function digestOnDisk({ root, state, files }: Session, task: Task): string | null {
  const outputs = task.outputs.map(({ path }) => {
    if (!path.endsWith("/")) return files.digest(path);
    const written = state.last(task.id)?.outputs.find((each) => each.path === path);
    if (written !== undefined && isAsWritten(root, files, written)) return written.digest;
    if (!existsSync(absolute(root, path))) return null;
    return treeDigest(
      filesUnder(root, path, files.disk).map((name) => ({ name, digest: files.digest(path + name) ?? "" })),
    );
  });
  const there = outputs.flatMap((digest) => (digest === null ? [] : [{ digest }]));
  return there.length === outputs.length ? digestOfOutputs(there) : null;
}
