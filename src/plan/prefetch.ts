/** Hashes sources on all cores. The walk alone would hash one after the other. */
import { UserError } from "../model/errors.ts";
import { filesUnder } from "../fingerprint/tree.ts";
import type { Task } from "../model/model.ts";
import { keepLearned } from "../session/keep-learned.ts";
import type { Session } from "../session/session.ts";

/** @throws the signal's reason when it aborts */
export async function prefetchSources(session: Session, tasks: readonly Task[]): Promise<void> {
  try {
    await session.files.prefetch(session.changed ?? sourcesOf(session, tasks), session.hashing);
  } finally {
    if (!session.readonly) session.state.flush();
    else if (session.hashing.keep !== false) keepLearned(session);
  }
}

function* sourcesOf({ root, graph, files }: Session, tasks: readonly Task[]): Generator<string> {
  const sources = new Set<string>();
  // Leave out folders from which a task needs only the names.
  for (const task of tasks)
    for (const { path, names } of graph.needs(task).sources) if (!names) sources.add(path);
  for (const path of sources) {
    if (!path.endsWith("/")) yield path;
    else for (const name of namesIn(root, path, files)) yield path + name;
  }
}

/** Returns nothing for a directory that cannot be read: the evaluation of its task reports the error. */
function namesIn(root: string, dir: string, { disk }: Session["files"]): readonly string[] {
  try {
    return filesUnder(root, dir, disk);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
