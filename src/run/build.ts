/** Build: makes the targets of a request fresh. */
import { userErrorOf } from "../model/errors.ts";
import type { Growth, Task } from "../model/model.ts";
import { Executor } from "../execute/execute.ts";
import { WorkerPool } from "../execute/pool.ts";
import { loadConfig, type Config } from "../load/config.ts";
import { recordBuild } from "../history/build-log.ts";
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
import { emptyRules, growing, growingText, removals, unwrittenOutputs } from "../plan/warnings.ts";
import { clearLeftovers } from "../session/leftovers.ts";
import { BuildLoop } from "./loop.ts";
import { coverage, removeOrphans } from "../plan/orphans.ts";
import { Part } from "../seal/part.ts";
import { isSettled, makePlan, samples, toCome, type Plan } from "../plan/plan.ts";
import { refuseBadParams, refuseEdited } from "./refuse.ts";
import { shareNeeds } from "../session/open-store.ts";
import type { BuildRequest, Summary } from "./request.ts";
import { TaskRunner } from "./run-task.ts";
import { sealPlan } from "../seal/seal-build.ts";
import { openSession, type Session } from "../session/session.ts";
import { Steering } from "./steering.ts";
import { Tally } from "./tally.ts";

export type { BuildRequest, Summary } from "./request.ts";

/**
 * @returns how many tasks ended how. Failures are not thrown: see `failed`. When the signal aborts, running
 *   tasks are ended and the summary says what had been done.
 * @throws the signal's reason when that aborts before anything was started
 * @throws UserError when the request, the pipeline or the state of the outputs does not allow the build
 */
export async function build(request: BuildRequest): Promise<Summary> {
  if (request.dryRun === true) return predict(request, new Tally(request.listener));
  const { root } = request.pipeline;
  const tally = new Tally(request.listener);
  const signal = request.signal ?? new AbortController().signal;
  const lock = await acquireLock(
    root,
    (holder) => tally.notice(`waiting for another build (${holder})`),
    signal,
  );
  const steering = request.steering ?? new Steering(signal);
  try {
    clearLeftovers(root);
    await buildOnce(request, tally, steering);
  } finally {
    steering.close();
    clearLeftovers(root);
    lock.release();
  }
  return tally.summary();
}

async function buildOnce(request: BuildRequest, tally: Tally, steering: Steering): Promise<void> {
  const { seal, targets } = request;
  const warn = (text: string): void => tally.notice(text, "warning");
  const options = { notice: warn, hashing: { progress: tally.hashing, signal: request.signal } };
  const part = seal?.asked && request.force !== true ? Part.open(request, seal.asked, options) : null;
  const session = part?.session ?? openSession(request, { readonly: false, ...options });
  if (part === null) emptyRules(request, session.graph).forEach(warn);
  tally.tellAlso(recordBuild(session, targets, warn));
  let plan: Plan;
  try {
    plan = await buildWithLock(request, session, tally, steering);
  } finally {
    session.state.close();
  }
  if (part !== null) tally.alsoFresh(part.others);
  try {
    if (part === null && seal !== undefined) sealPlan(session, plan, seal);
    else if (tally.endedWell) part?.reseal();
  } catch (error) {
    // All is built and on record: where there is no room for a seal, the next build looks at everything.
    if (userErrorOf(error) === undefined) throw error;
  }
}

/** @returns the plan, with how all that is selected is in the end */
async function buildWithLock(
  request: BuildRequest,
  session: Session,
  tally: Tally,
  steering: Steering,
): Promise<Plan> {
  const { force = false, accept: accepting = false } = request;
  const plan = await planFor(session, request);
  if (accepting) refuseUnacceptable(plan);
  const isClean = cleanTasks(session, plan);
  const due = [...plan.selected.tasks].filter((task) => !isClean(task));
  const config = loadConfig(process.env);
  const unknown = toCome(session, plan);
  const capacity = await capacityFor(request, due, unknown, config);
  const mayRun = accepting
    ? []
    : [...due.filter((task) => !isCached(plan, task)), ...samples(session, unknown)];
  refuseWhatNeverFits(mayRun, capacity);
  if (!force) refuseEdited(session, due);
  refuseBadLockFile(session);
  for (const text of unwrittenOutputs(mayRun)) tally.notice(text, "warning");
  const sweep = (tasks: Iterable<Task>): void =>
    removeOrphans(session, coverage(request, tasks), (text) => tally.notice(text));

  const leases = await openLeases(capacity, config, tally);
  const pool = new WorkerPool(session.root, capacity.cpu);
  const executor = new Executor(session.root, session.code, pool);
  const recorder = new Recorder(session.root, session.state, session.store, session.files);
  try {
    if (due.length > 0) await refuseBadParams(session, pool, mayRun);
    sweep(plan.selected.tasks);
    tally.plan(plan.selected.tasks);
    for (const task of plan.selected.tasks) if (isClean(task)) tally.finish({ task, outcome: "fresh" });
    const runner = new TaskRunner(session, executor, recorder);
    const acceptor = accepting ? (each: DueTask) => accept(session, recorder, each) : null;
    const slots = new Slots(capacity, leases);
    const keepGoing = request.keepGoing === true;
    const grown: (selected: Plan["selected"]) => void = ({ tasks }) => sweep(tasks);
    const selected = await new BuildLoop(
      { session, plan, slots, runner, accept: acceptor, recorder, tally, force, keepGoing, steering, grown },
      isClean,
    ).run();
    await recorder.settle();
    updateLockFile(session);
    if (tally.worked) shareNeeds(session, request.pipeline);
    return { ...plan, selected };
  } finally {
    await Promise.all([pool.close(), executor.close()]);
    leases?.close();
  }
}

/** The plan, told as the events that the build would send. */
async function predict(request: BuildRequest, tally: Tally): Promise<Summary> {
  const warn = (text: string): void => tally.notice(text, "warning");
  const session = openSession(request, {
    readonly: true,
    notice: warn,
    hashing: { progress: tally.hashing, signal: request.signal },
  });
  emptyRules(request, session.graph).forEach(warn);
  const plan = await planFor(session, request);
  const accepting = request.accept === true;
  tally.plan(plan.selected.tasks);
  unwrittenOutputs([...plan.selected.tasks].filter((task) => !isCached(plan, task))).forEach(warn);
  for (const path of removals(session, request, plan))
    tally.notice(`would remove ${path}, which no task makes any more`);
  const made = accepting ? "accepted" : "ran";
  for (const task of plan.selected.tasks) {
    const verdict = plan.verdicts.get(task);
    const error = plan.failures.get(task);
    if (error !== undefined) tally.finish({ task, outcome: "failed", error });
    else if (verdict?.kind === "fresh") tally.finish({ task, outcome: "fresh" });
    else if (verdict?.kind === "due" || verdict?.kind === "restorable") {
      const { reasons } = verdict.freshness;
      tally.finish({ task, outcome: verdict.kind === "due" ? made : "restored", reasons });
    } else tally.finish({ task, outcome: accepting ? "skipped" : "ran" });
  }
  if (accepting && plan.failures.size > 0)
    tally.notice("nothing is accepted as long as there are tasks that cannot be", "warning");
  for (const each of growing(session, plan)) tally.notice(`${each.rule} ${growingText(each)}`);
  return tally.summary();
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
  // Nothing is fresh after what has to run, for that is blocked; only restorable tasks may have fresh ones after them.
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
  unknown: readonly Growth[],
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
  tally: Tally,
): Promise<Leases | null> {
  if (!NO_SURPRISE.has(trouble)) tally.notice(`no GPU is used: ${trouble}`, "warning");
  if (devices.length === 0) return null;
  if (!canClaim()) {
    tally.notice("other builds on this machine cannot be seen here: two may use one GPU", "warning");
    return null;
  }
  if (busy === null) return new Leases();
  const usage = new DriverUsage(busy);
  await usage.refresh();
  const inUse = devices.filter((device) => usage.state(device) === "busy");
  for (const text of waitingFor(inUse, [], inUse, (device) => usage.used(device))) tally.notice(text);
  return new Leases(usage);
}
