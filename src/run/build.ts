/** Build: makes the targets of a request fresh. */
import { userErrorOf } from "../model/errors.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import { Executor } from "../execute/execute.ts";
import { WorkerPool } from "../execute/pool.ts";
import { loadConfig, type Config } from "../load/config.ts";
import { EventRecorder } from "../events/record-events.ts";
import { recordBuild } from "../history/build-log.ts";
import { nextBuildNumber } from "../history/build-files.ts";
import { refuseBadLockFile, updateLockFile } from "./lock-update.ts";
import { acquireLock } from "../state/lock.ts";
import { Recorder } from "../record/record.ts";
import { discoverCapacity, refuseWhatNeverFits, type Capacity } from "../schedule/capacity.ts";
import { canClaim } from "../schedule/claims.ts";
import { NO_SURPRISE } from "../schedule/devices.ts";
import { Leases } from "../schedule/leases.ts";
import { Slots } from "../schedule/slots.ts";
import { DriverUsage } from "../schedule/usage.ts";
import { waitingFor } from "../schedule/waiting-for.ts";
import { accept, judgeOf, refuseUnacceptable } from "./accept.ts";
import type { DueTask } from "../plan/evaluate.ts";
import { emptyRules, expanding, expandingText, removals, unwrittenOutputs } from "../plan/warnings.ts";
import { undeclaredWarnings } from "../plan/undeclared.ts";
import { clearLeftovers } from "../session/leftovers.ts";
import { BuildLoop } from "./loop.ts";
import { coverage, removeOrphans } from "../plan/orphans.ts";
import { IncrementalSession } from "../snapshot/incremental.ts";
import { isSettled, makePlan, samples, upcomingExpansions, type Plan } from "../plan/plan.ts";
import { refuseBadParams, refuseMissingEnvironments, refuseEdited } from "./refuse.ts";
import { shareNeeds } from "../session/open-store.ts";
import type { BuildRequest, Summary } from "./request.ts";
import { TaskRunner } from "./run-task.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import { openSession, type Session } from "../session/session.ts";
import { BuildControl } from "./control.ts";
import { Outcomes } from "./outcomes.ts";

export type { BuildRequest, Summary } from "./request.ts";

/**
 * @returns how many tasks ended how. Failures are not thrown: see `failed`. When the signal aborts, running
 *   tasks are ended and the summary says what had been done.
 * @throws the signal's reason when that aborts before anything was started
 * @throws UserError when the request, the pipeline or the state of the outputs does not allow the build
 */
export async function build(request: BuildRequest): Promise<Summary> {
  if (request.dryRun === true) return dryRun(request, new Outcomes(request.listener));
  const { root } = request.pipeline;
  const outcomes = new Outcomes(request.listener);
  const signal = request.signal ?? new AbortController().signal;
  const lock = await acquireLock(
    root,
    (holder) => outcomes.notice(`waiting for another build (${holder})`),
    signal,
  );
  const control = request.control ?? new BuildControl(signal);
  try {
    clearLeftovers(root);
    await buildOnce(request, outcomes, control);
  } finally {
    control.close();
    clearLeftovers(root);
    lock.release();
  }
  return outcomes.summary();
}

async function buildOnce(request: BuildRequest, outcomes: Outcomes, control: BuildControl): Promise<void> {
  const { snapshot, targets } = request;
  const warn = (text: string): void => outcomes.notice(text, "warning");
  const options = { notice: warn, hashing: { progress: outcomes.hashing, signal: request.signal } };
  const incremental =
    snapshot?.asked && request.force !== true
      ? IncrementalSession.open(request, snapshot.asked, options)
      : null;
  const session = incremental?.session ?? openSession(request, { readonly: false, ...options });
  if (incremental === null) emptyRules(request, session.graph).forEach(warn);
  const number = nextBuildNumber(session.root);
  const { root } = session;
  const events = new EventRecorder({ root, targets, flags: request.flags ?? [], number, warn });
  outcomes.tellAlso(recordBuild(session, targets, number, warn));
  outcomes.tellAlso(events.listener);
  let plan: Plan;
  try {
    plan = await buildWithLock(request, session, outcomes, control);
  } catch (error) {
    events.fail((error as Error).message);
    throw error;
  } finally {
    session.state.close();
  }
  if (incremental !== null) outcomes.alsoFresh(incremental.others);
  try {
    if (incremental === null && snapshot !== undefined) takeSnapshot(session, plan, snapshot);
    else if (outcomes.endedWell) incremental?.updateSnapshot();
  } catch (error) {
    // All is built and on record: where there is no room for a snapshot, the next build looks at everything.
    if (userErrorOf(error) === undefined) throw error;
  }
}

/** @returns the plan, with how all that is selected is in the end */
async function buildWithLock(
  request: BuildRequest,
  session: Session,
  outcomes: Outcomes,
  control: BuildControl,
): Promise<Plan> {
  const { force = false, accept: accepting = false } = request;
  const plan = await planFor(session, request);
  if (accepting) refuseUnacceptable(plan);
  const isClean = cleanTasks(session, plan);
  const due = [...plan.selected.tasks].filter((task) => !isClean(task));
  const config = loadConfig(process.env);
  const unknown = upcomingExpansions(session, plan);
  const capacity = await capacityFor(request, due, unknown, config);
  const mayRun = accepting
    ? []
    : [...due.filter((task) => !isCached(plan, task)), ...samples(session, unknown)];
  refuseWhatNeverFits(mayRun, capacity);
  refuseMissingEnvironments(session, mayRun);
  if (!force) refuseEdited(session, due);
  refuseBadLockFile(session);
  for (const text of [...unwrittenOutputs(mayRun), ...undeclaredWarnings(session, plan)])
    outcomes.notice(text, "warning");
  const sweep = (tasks: Iterable<Task>): void =>
    removeOrphans(session, coverage(request, tasks), (text) => outcomes.notice(text));

  const leases = await openLeases(capacity, config, outcomes);
  const pool = new WorkerPool(session.root, capacity.cpu);
  const executor = new Executor(session.root, session.code, session.environments, pool);
  const recorder = new Recorder(session.root, session.state, session.store, session.files);
  try {
    if (due.length > 0) await refuseBadParams(session, pool, mayRun);
    sweep(plan.selected.tasks);
    outcomes.plan(plan.selected.tasks, session.state);
    for (const task of plan.selected.tasks) if (isClean(task)) outcomes.finish({ task, outcome: "fresh" });
    const runner = new TaskRunner(session, executor, recorder);
    const acceptor = accepting ? (each: DueTask) => accept(session, recorder, each) : null;
    const slots = new Slots(capacity, leases);
    const keepGoing = request.keepGoing === true;
    const expanded: (selected: Plan["selected"]) => void = ({ tasks }) => sweep(tasks);
    const selected = await new BuildLoop(
      {
        session,
        plan,
        slots,
        runner,
        accept: acceptor,
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
    return { ...plan, selected };
  } finally {
    await Promise.all([pool.close(), executor.close()]);
    leases?.close();
  }
}

/** The plan, told as the events that the build would send. */
async function dryRun(request: BuildRequest, outcomes: Outcomes): Promise<Summary> {
  const warn = (text: string): void => outcomes.notice(text, "warning");
  const session = openSession(request, {
    readonly: true,
    notice: warn,
    hashing: { progress: outcomes.hashing, signal: request.signal },
  });
  emptyRules(request, session.graph).forEach(warn);
  const plan = await planFor(session, request);
  const accepting = request.accept === true;
  outcomes.plan(plan.selected.tasks, session.state);
  unwrittenOutputs([...plan.selected.tasks].filter((task) => !isCached(plan, task))).forEach(warn);
  undeclaredWarnings(session, plan).forEach(warn);
  for (const path of removals(session, request, plan))
    outcomes.notice(`would remove ${path}, which no task makes any more`);
  const made = accepting ? "accepted" : "ran";
  for (const task of plan.selected.tasks) {
    const verdict = plan.verdicts.get(task);
    const error = plan.failures.get(task);
    if (error !== undefined) outcomes.finish({ task, outcome: "failed", error });
    else if (verdict?.kind === "fresh") outcomes.finish({ task, outcome: "fresh" });
    else if (verdict?.kind === "due" || verdict?.kind === "restorable") {
      const { reasons } = verdict.freshness;
      outcomes.finish({ task, outcome: verdict.kind === "due" ? made : "restored", reasons });
    } else outcomes.finish({ task, outcome: accepting ? "skipped" : "ran" });
  }
  if (accepting && plan.failures.size > 0)
    outcomes.notice("nothing is accepted as long as there are tasks that cannot be", "warning");
  for (const each of expanding(session, plan)) outcomes.notice(`${each.rule} ${expandingText(each)}`);
  return outcomes.summary();
}

function planFor(
  session: Session,
  { force = false, accept: accepting = false }: BuildRequest,
): Promise<Plan> {
  return makePlan(session, force, accepting ? judgeOf(session) : undefined);
}

/** Tasks that are fresh, as is all that they depend on: nothing in this build can change that. */
function cleanTasks({ graph }: Session, { verdicts }: Plan): (task: Task) => boolean {
  const isFresh = (task: Task): boolean => verdicts.get(task)?.kind === "fresh";
  // Nothing is fresh after what has to run, for that is pending; only restorable tasks may have fresh ones after them.
  if (![...verdicts.values()].some(({ kind }) => kind === "restorable")) return isFresh;
  const clean = new Set<Task>();
  for (const task of verdicts.keys()) {
    if (isFresh(task) && graph.dependencies(task).every((dependency) => clean.has(dependency)))
      clean.add(task);
  }
  return (task) => clean.has(task);
}

/** Whether what it would make is there, or can be restored. */
function isCached({ verdicts }: Plan, task: Task): boolean {
  const verdict = verdicts.get(task);
  return verdict !== undefined && isSettled(verdict);
}

function capacityFor(
  { jobs, slots, accept: accepting = false }: BuildRequest,
  due: readonly Task[],
  unknown: readonly PendingExpansion[],
  { groups }: Config,
): Promise<Capacity> {
  const rules = new Set([...due, ...unknown].map(({ rule }) => rule));
  const wantsDevices = !accepting && [...rules].some((rule) => rule.slots.gpu !== null);
  return discoverCapacity({ jobs, slots, groups, wantsDevices, env: process.env });
}

/** Null: there is no device to share with other builds, or no way to hear of them. */
async function openLeases(
  { devices, trouble }: Capacity,
  { busy }: Config,
  outcomes: Outcomes,
): Promise<Leases | null> {
  if (!NO_SURPRISE.has(trouble)) outcomes.notice(`no GPU is used: ${trouble}`, "warning");
  if (devices.length === 0) return null;
  if (!canClaim()) {
    outcomes.notice("other builds on this machine cannot be seen here: two may use one GPU", "warning");
    return null;
  }
  if (busy === null) return new Leases();
  const usage = new DriverUsage(busy);
  await usage.refresh();
  const inUse = devices.filter((device) => usage.state(device) === "busy");
  for (const text of waitingFor(inUse, [], inUse, (device) => usage.used(device))) outcomes.notice(text);
  return new Leases(usage);
}
