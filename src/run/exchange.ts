/** Brings the results that current keys name to the remote cache, or from there. Runs nothing, and places no output. */
import { waitingText } from "../events/running-build.ts";
import { UserError } from "../model/errors.ts";
import type { Remote } from "../remote/remote.ts";
import { isSettled } from "../plan/evaluate.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import type { Request } from "../session/request.ts";
import { openReadonlySession, openSession } from "../session/session.ts";
import { acquireLock } from "../state/lock.ts";
import { inLanes } from "../system/lanes.ts";
import { withRemote } from "./with-remote.ts";

export interface ExchangeRequest extends Request {
  readonly notice: (text: string) => void;
  /** Called from time to time, with what is left and how fast it goes. */
  readonly uploading?: (left: number, rate: number) => void;
  /** Called for each task that is done. */
  readonly downloading?: (done: number, tasks: number) => void;
}

export interface Pushed {
  readonly uploaded: number;
  /** Results that the remote has already. */
  readonly there: number;
  /** Bytes of objects that were sent. */
  readonly bytes: number;
}

export interface Fetched {
  readonly downloaded: number;
  /** Results that are in place or in the local cache. */
  readonly there: number;
  /** Tasks whose result is not to be had, or whose key is not known. */
  readonly absent: number;
  /** Bytes of objects that came. */
  readonly bytes: number;
}

/** Tasks that are asked for at once. */
const LANES = 8;

/** @throws UserError if there is no remote cache, or it cannot be used */
export async function push(request: ExchangeRequest): Promise<Pushed> {
  const session = openReadonlySession(request);
  const plan = await planWithoutRuns(session);
  const keys = new Set([...plan.verdicts.values()].flatMap((each) => (isSettled(each) ? [each.key] : [])));
  const { remote, result: there } = await exchange(request, async (remote) => {
    let there = 0;
    await inLanes(keys, LANES, async (key) => {
      if ((await remote.find(key)) !== null) there += 1;
      else void remote.send(key);
    });
    return there;
  });
  return { uploaded: remote.counts.uploaded, there, bytes: remote.sentBytes };
}

/** @throws UserError if there is no remote cache, or it cannot be used */
export async function fetchResults(request: ExchangeRequest): Promise<Fetched> {
  const { notice, downloading } = request;
  const { root } = request.pipeline;
  // A collection of garbage must not take what has just come.
  const lock = await acquireLock(root, (holder) => notice(waitingText(root, holder)));
  try {
    const { remote, result } = await exchange(request, async (remote) => {
      const session = openSession(request, { readonly: false, notice, remote });
      try {
        const plan = await planWithoutRuns(session);
        let [there, got, done] = [0, 0, 0];
        await inLanes(plan.selected.tasks, LANES, async (task) => {
          const verdict = plan.verdicts.get(task);
          if (verdict !== undefined && isSettled(verdict)) {
            const { key } = verdict;
            if (verdict.state === "fresh" || session.store.run(key) !== undefined) there += 1;
            else if (await remote.bring({ key })) got += 1;
          }
          downloading?.(++done, plan.selected.tasks.size);
        });
        return { downloaded: got, there, absent: plan.selected.tasks.size - there - got };
      } finally {
        session.state.close();
      }
    });
    return { ...result, bytes: remote.counts.bytes };
  } finally {
    lock.release();
  }
}

function planWithoutRuns(session: Parameters<typeof makePlan>[0]): Promise<Plan> {
  return makePlan(session, false, () => ({ kind: "unknown" }));
}

async function exchange<T>(
  { pipeline, notice, uploading }: ExchangeRequest,
  work: (remote: Remote) => Promise<T>,
): Promise<{ readonly remote: Remote; readonly result: T }> {
  const use = {
    pipeline,
    warn: notice,
    onTrouble: () => undefined,
    ...(uploading && { progress: uploading }),
  };
  const done = await withRemote(use, async (remote) => {
    if (remote === null)
      throw new UserError({
        message: "the project has no remote cache",
        hint: "name one in pipeline.yaml, as in `cache: { remote: https://cache.example.org/lq }`, or by LQ_REMOTE",
      });
    return { remote, result: await work(remote) };
  });
  const { name, trouble } = done.remote;
  if (trouble !== null)
    throw new UserError({
      message: `the remote cache ${name} cannot be used: ${trouble}`,
      hint: "what was done is kept: the same command goes on from there",
    });
  return done;
}
