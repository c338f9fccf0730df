/** Pull: restores the outputs that lq.lock names from a cache. */
import { waitingText } from "../events/running-build.ts";
import { join } from "node:path";
import { clearLeftovers } from "../session/leftovers.ts";
import { shareNeeds } from "../session/open-store.ts";
import type { Request } from "../session/request.ts";
import { openSession, type Session } from "../session/session.ts";
import type { Task } from "../model/model.ts";
import { STAGING } from "../model/layout.ts";
import { acquireLock } from "../state/lock.ts";
import { isLinkedFolder, isProtected, outputState } from "../record/outputs.ts";
import { Recorder } from "../record/record.ts";
import { digestOfOutputs, type LockedTask } from "../lockfile/lockfile.ts";
import type { Remote } from "../remote/remote.ts";
import type { StoredRun } from "../store/action.ts";
import { withRemote } from "./with-remote.ts";
import { digestOnDisk, expandFromDisk, lockedTasks } from "./locked.ts";

export interface PullRequest extends Request {
  /** Overwrite outputs that were edited. */
  readonly force?: boolean | undefined;
  readonly notice: (text: string) => void;
}

/** Ids of tasks, by the result of the pull. */
export interface Pulled {
  readonly pulled: readonly string[];
  /** The outputs were there already, as lq.lock says. */
  readonly there: readonly string[];
  /** The cache does not have the outputs, or has other outputs than lq.lock says. */
  readonly absent: readonly string[];
  /** lq kept the outputs, because somebody edited them or lq did not make them. */
  readonly edited: readonly string[];
  /** The graph has no such task, as far as lq knows. */
  readonly unknown: readonly string[];
}

export function pull(request: PullRequest): Promise<Pulled> {
  const { pipeline, notice } = request;
  return withRemote({ pipeline, warn: notice }, (remote) => pullWith(request, remote));
}

async function pullWith(request: PullRequest, remote: Remote | null): Promise<Pulled> {
  const { root } = request.pipeline;
  const lock = await acquireLock(root, (holder) => request.notice(waitingText(root, holder)));
  const session = openSession(request, { readonly: false, notice: request.notice, remote });
  try {
    const recorder = new Recorder(session, { overwrite: request.force === true });
    const ends = { pulled: [], there: [], absent: [], edited: [], unknown: [] } as {
      [end in keyof Pulled]: string[];
    };
    const done = new Set<string>();
    // An output that was just pulled may expand the graph.
    do {
      for (const { id, line, task } of lockedTasks(session, request)) {
        if (task === null || done.has(id)) continue;
        done.add(id);
        ends[await pullOne(session, recorder, task, line, request.force === true)].push(id);
      }
    } while (expandFromDisk(root, session.graph));
    for (const { id } of lockedTasks(session, request)) if (!done.has(id)) ends.unknown.push(id);
    await recorder.settle();
    shareNeeds(session, request.pipeline);
    return ends;
  } finally {
    session.state.close();
    clearLeftovers(root);
    lock.release();
  }
}

async function pullOne(
  session: Session,
  recorder: Recorder,
  task: Task,
  line: LockedTask,
  force: boolean,
): Promise<keyof Pulled> {
  const { root, state, remote } = session;
  const onDisk = digestOnDisk(session, task);
  if (onDisk === line.digest && state.last(task.id)?.key === line.key) return "there";
  const run = await findRun(session, line);
  if (run === null) return "absent";
  const isForeign = task.outputs.some(
    ({ path }) => isLinkedFolder(root, path) || isProtected(outputState(session, task.id, path)),
  );
  if (isForeign && onDisk !== line.digest && !force) return "edited";
  const folder = join(root, STAGING, `pull-${task.index}`);
  const staging = task.outputs.map(({ path }, i) => `${folder}/${i}${path.endsWith("/") ? "/" : ""}`);
  const isHere = (await remote?.bring(run)) ?? true;
  if (!isHere || !(await recorder.restore(task, run, staging))) return "absent";
  return onDisk === line.digest ? "there" : "pulled";
}

/** The run with the outputs that the commit names, from the local cache or else the remote one. */
async function findRun({ store, remote }: Session, { key, digest }: LockedTask): Promise<StoredRun | null> {
  const isRight = (run: StoredRun) => digestOfOutputs(run.outputs) === digest;
  const local = store.run(key);
  if (local !== undefined && isRight(local)) return local;
  const found = await remote?.find(key);
  return found && isRight(found) ? found : null;
}
