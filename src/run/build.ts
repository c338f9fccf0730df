/** Build: makes the targets of a request fresh. */
import { waitingText } from "../events/running-build.ts";
import { UserError, userErrorOf, type Diagnostic } from "../model/errors.ts";
import type { Rule, Task } from "../model/model.ts";
import { Executor } from "../execute/execute.ts";
import { WorkerPool } from "../execute/pool.ts";
import { loadConfig } from "../load/config.ts";
import { EventRecorder } from "../events/record-events.ts";
import { recordBuild } from "../history/build-log.ts";
import { nextBuildNumber } from "../history/build-files.ts";
import { refuseBadLockFile, updateLockFile } from "./lock-update.ts";
import { acquireLock } from "../state/lock.ts";
import { Recorder } from "../record/record.ts";
import { cappedRules, whatNeverFits } from "../schedule/capacity.ts";
import { Slots } from "../schedule/slots.ts";
import { dryRun } from "./dry-run.ts";
import { mayRunElsewhere, openElsewhere, type OpenElsewhere } from "./elsewhere.ts";
import { capacityFor, openLeases } from "./machine.ts";
import { RUN } from "./mode.ts";
import { addedFiles, emptyRules, unwrittenOutputs } from "../plan/warnings.ts";
import { undeclaredWarnings } from "../plan/undeclared.ts";
import { clearLeftovers } from "../session/leftovers.ts";
import { BuildLoop } from "./loop.ts";
import { clearOrphans, coverage, setAside, setAsideText, type Orphan } from "../plan/orphans.ts";
import { IncrementalSession } from "../snapshot/incremental.ts";
import { isCached, isToBeMade, samples, upcomingExpansions, type Plan } from "../plan/plan.ts";
import { refuseProtected } from "./protect.ts";
import { refuseBadParams, refuseLongCommands, refuseMissingEnvironments } from "./refuse.ts";
import { shareNeeds } from "../session/open-store.ts";
import type { BuildRequest, Summary } from "./request.ts";
import { LocalRunner } from "./run-task.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import { openSession, type Session } from "../session/session.ts";
import type { Remote } from "../remote/remote.ts";
import { withRemote, type RemoteUse } from "./with-remote.ts";
import { BuildControl } from "./control.ts";
import { Outcomes } from "./outcomes.ts";

export type { BuildRequest, Summary } from "./request.ts";

/**
 * @returns how many tasks ended with each outcome. A failed task is not thrown: see `failed`. When the signal aborts,
 *   lq ends the running tasks, and the summary says what was done.
 * @throws the signal's reason if the signal aborts before anything started
 * @throws UserError if the request, the pipeline or the state of the outputs does not allow the build
 */
export async function build(request: BuildRequest): Promise<Summary> {
  if (request.dryRun === true) return dryRun(request, new Outcomes(request.listener));
  const { mode = RUN, pipeline } = request;
  const { root } = pipeline;
  const outcomes = new Outcomes(request.listener);
  const signal = request.signal ?? new AbortController().signal;
  const lock = await acquireLock(
    root,
    (holder) => outcomes.notice(waitingText(root, holder)),
    signal,
    async (job) => (await import("../slurm/job-is-over.ts")).isJobOver(job),
  );
  const control = request.control ?? new BuildControl(signal);
  try {
    clearLeftovers(root);
    if (mode.usesRemote)
      await withRemote(remoteUse(request, outcomes), (remote) =>
        buildOnce(request, outcomes, control, remote),
      );
    else await buildOnce(request, outcomes, control, null);
  } finally {
    control.close();
    clearLeftovers(root);
    lock.release();
  }
  return outcomes.summary();
}

function remoteUse({ pipeline, signal }: BuildRequest, outcomes: Outcomes): RemoteUse {
  return {
    ...{ pipeline, signal },
    warn: (text) => outcomes.notice(text, "warning"),
    progress: (left, rate) => outcomes.emit({ type: "upload", left, rate }),
  };
}

async function buildOnce(
  request: BuildRequest,
  outcomes: Outcomes,
  control: BuildControl,
  remote: Remote | null,
): Promise<void> {
  const { snapshot, targets } = request;
  const warn = (text: string): void => outcomes.notice(text, "warning");
  if (remote !== null) outcomes.countTransfers(remote.counts);
  const options = { notice: warn, remote, hashing: { progress: outcomes.hashing, signal: request.signal } };
  const incremental =
    snapshot?.asked && request.force !== true
      ? IncrementalSession.open(request, snapshot.asked, options)
      : null;
  const session =
    incremental?.session ??
    openSession(request, { readonly: false, keepGoing: request.keepGoing, ...options });
  if (incremental === null) emptyRules(request, session.graph).forEach(warn);
  const number = nextBuildNumber(session.root);
  const { root } = session;
  const events = new EventRecorder({ root, targets, flags: request.flags ?? [], number, warn });
  outcomes.tellAlso(recordBuild(session, targets, number, warn));
  outcomes.tellAlso(events.listener);
  let built: Built;
  try {
    built = await buildWithLock(request, session, outcomes, control);
  } catch (error) {
    events.fail((error as Error).message);
    throw error;
  } finally {
    session.state.close();
  }
  if (incremental !== null) outcomes.alsoFresh(incremental.others);
  const kept = setAside(request.pipeline, built.orphans).map(setAsideText);
  const notices = incremental?.notices ?? [...addedFiles(built.plan), ...kept];
  for (const text of notices) outcomes.notice(text);
  try {
    if (incremental === null && snapshot !== undefined) takeSnapshot(session, built.plan, snapshot, notices);
    else if (outcomes.endedWell) incremental?.updateSnapshot();
  } catch (error) {
    // Everything is built and recorded. Without a snapshot (on a full disk) the next build looks at everything.
    if (userErrorOf(error) === undefined) throw error;
  }
}

interface Built {
  /** With the verdicts and the selection as they are after the build. */
  readonly plan: Plan;
  readonly orphans: readonly Orphan[];
}

async function buildWithLock(
  request: BuildRequest,
  session: Session,
  outcomes: Outcomes,
  control: BuildControl,
): Promise<Built> {
  const { force = false, mode = RUN } = request;
  const plan = await mode.plan(session, force);
  mode.check(plan);
  const isClean = cleanTasks(session, plan);
  const due = [...plan.selected.tasks].filter((task) => !isClean(task));
  const config = loadConfig(process.env);
  const expansions = upcomingExpansions(session, plan);
  const isElsewhere = ({ rule }: { readonly rule: Rule }): boolean =>
    (request.executor ?? config.executor) === "slurm" && mayRunElsewhere(rule);
  const toRun = mode.toRun([...due, ...expansions]);
  const capacity = await capacityFor(
    request,
    toRun.filter((each) => !isElsewhere(each)),
    config,
  );
  const mayRun = mode.toRun([
    ...due.filter((task) => !isCached(plan, task)),
    ...samples(session, expansions),
  ]);
  const runsHere = mayRun.filter((task) => !isElsewhere(task));
  refuseUnlessKeptGoing(request, whatNeverFits(runsHere, capacity), outcomes);
  if (request.keepGoing === true)
    refuseUnlessKeptGoing(request, session.graph.missingInputs(plan.selected), outcomes);
  refuseMissingEnvironments(session, mayRun);
  refuseLongCommands(mayRun);
  if (!force) refuseProtected(session, due, (task) => isToBeMade(plan, task));
  refuseBadLockFile(session);
  for (const text of cappedRules(runsHere, capacity)) outcomes.notice(text);
  for (const text of [...unwrittenOutputs(mayRun), ...undeclaredWarnings(session, plan)])
    outcomes.notice(text, "warning");
  let orphans: readonly Orphan[] = [];
  const sweep = (tasks: Iterable<Task>): void => {
    orphans = clearOrphans(session, coverage(request, tasks), (text) => outcomes.notice(text));
    outcomes.remove(orphans.filter(({ decision }) => decision === "remove").length);
  };

  const leases = await openLeases(capacity, config, outcomes);
  const pool = new WorkerPool(session.root, capacity.cpu);
  const executor = new Executor(session.root, session.code, session.environments, pool);
  const recorder = new Recorder(session, { overwrite: force });
  const pools = { pools: new Map<string, number>() };
  let elsewhere: OpenElsewhere | null = null;
  try {
    if (due.length > 0) await refuseBadParams(session, pool, mayRun);
    if (toRun.some(isElsewhere))
      elsewhere = await openElsewhere({
        ...{ session, plan, recorder, outcomes, capacity, pools },
        ...{ pipeline: request.pipeline, tasks: mayRun },
      });
    sweep(plan.selected.tasks);
    outcomes.plan(plan.selected.tasks, session.state);
    for (const task of plan.selected.tasks) if (isClean(task)) outcomes.finish({ task, outcome: "fresh" });
    const runner = new LocalRunner(session, executor, recorder);
    const slots = new Slots(capacity, leases, pools);
    const here = { slots, runner, slotsOf: ({ rule }: Task) => rule.slots };
    const keepGoing = request.keepGoing === true;
    const expanded: (selected: Plan["selected"]) => void = ({ tasks }) => sweep(tasks);
    const selected = await new BuildLoop(
      {
        session,
        plan,
        here,
        elsewhere,
        mode,
        recorder,
        outcomes,
        force,
        keepGoing,
        control,
        expanded,
      },
      isClean,
    ).run();
    await recorder.settle();
    updateLockFile(session);
    if (outcomes.worked) shareNeeds(session, request.pipeline);
    return { plan: { ...plan, selected }, orphans };
  } finally {
    await Promise.all([pool.close(), executor.close(), elsewhere?.close()]);
    leases?.close();
  }
}

/** With `-k`, warns of tasks that are going to fail. @throws UserError without `-k` */
function refuseUnlessKeptGoing(
  { keepGoing }: BuildRequest,
  problems: readonly Diagnostic[],
  outcomes: Outcomes,
): void {
  if (problems.length > 0 && keepGoing !== true) throw new UserError(problems);
  for (const { message, hint } of problems)
    outcomes.notice(hint === undefined ? message : `${message} (${hint})`, "warning");
}

/** Finds the tasks that are fresh and depend on fresh tasks only: nothing in this build can change them. */
function cleanTasks({ graph }: Session, { verdicts }: Plan): (task: Task) => boolean {
  const isFresh = (task: Task): boolean => verdicts.get(task)?.state === "fresh";
  // Tasks behind a due task are pending. Only behind restorable tasks can there be fresh ones.
  if (![...verdicts.values()].some(({ state }) => state === "restorable")) return isFresh;
  const clean = new Set<Task>();
  for (const task of verdicts.keys()) {
    if (isFresh(task) && graph.dependencies(task).every((dependency) => clean.has(dependency)))
      clean.add(task);
  }
  return (task) => clean.has(task);
}
