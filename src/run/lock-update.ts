/** Writes to lq.lock, after a build, the digests of the outputs of rules with `lock: true`. */
import { ruleOf } from "../model/task-id.ts";
import type { Session } from "../session/session.ts";
import {
  digestOfOutputs,
  lockedRules,
  readLockFile,
  writeLockFile,
  type LockedTask,
} from "../lockfile/lockfile.ts";

/** Call this before anything runs. @throws UserError with the lines that `updateLockFile` could not keep */
export function refuseBadLockFile({ root, graph }: Pick<Session, "root" | "graph">): void {
  if (lockedRules(graph.pipeline).size > 0) readLockFile(root);
}

export function updateLockFile({ root, graph, state }: Session): void {
  const rules = lockedRules(graph.pipeline);
  const lines = new Map<string, LockedTask>();
  // Keep the committed line of a task that was not built here, as long as the graph has that task.
  const expanding = new Set(graph.expansions.map(({ rule }) => rule.name));
  for (const [id, line] of rules.size > 0 ? readLockFile(root) : []) {
    const rule = ruleOf(id);
    if (rules.has(rule) && (expanding.has(rule) || graph.task(id) !== undefined)) lines.set(id, line);
  }
  for (const task of graph.tasks) {
    const last = task.rule.lock ? state.last(task.id) : undefined;
    if (typeof last?.key !== "string") continue;
    lines.set(task.id, { key: last.key, digest: digestOfOutputs(last.outputs) });
  }
  writeLockFile(root, lines);
}
