/**
 * Plans a build: walks over the tasks in their order and finds out which are fresh, restorable or due. `status`,
 * `build -n` and the first part of every build share this walk. It goes on past restorable tasks, because their
 * outputs are known. Tasks behind a due task are pending. Rules with `shape: true` are an exception: a read-only
 * session runs their tasks on trial and goes on with what they wrote.
 */
import { debug } from "../system/debug.ts";
import { explain } from "../decide/explain.ts";
import { readFileSync } from "node:fs";
import { EventLoopTurns } from "../system/event-loop.ts";
import { parseData } from "../expand/data.ts";
import type { Graph } from "../expand/graph.ts";
import { absolute, ancestors } from "../model/paths.ts";
import { upcoming } from "../expand/upcoming.ts";
import type { KnownOutputs } from "../fingerprint/fingerprint.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import type { StoredOutput, StoredRun } from "../store/action.ts";
import { inLanes } from "../system/lanes.ts";
import type { Selected } from "../select/select.ts";
import { evaluate, isDue, isSettled, type DueTask, type Verdict } from "./evaluate.ts";
import { Frontier } from "./frontier.ts";
import { TrialRuns } from "./trial-runs.ts";
import { prefetchSources } from "./prefetch.ts";
import type { Session } from "../session/session.ts";

export interface Plan {
  readonly selected: Selected;
  /**
   * One for every task that is not pending. Each task comes after those that it depends on. A build updates the
   * verdicts as it goes on.
   */
  readonly verdicts: Map<Task, Verdict>;
  /** The tasks that a pending task waits for. */
  readonly blockers: (task: Task) => readonly Task[];
  /** Tasks that are known to fail, with the reason. */
  readonly failures: ReadonlyMap<Task, string>;
}

/** What lq knows about the outputs of a due task before it runs. */
export type Preview =
  | { readonly kind: "unknown" }
  /** The outputs that are in place stay. */
  | { readonly kind: "as-is" }
  | { readonly kind: "written"; readonly outputs: readonly StoredOutput[] }
  | { readonly kind: "failed"; readonly error: string };

export type PreviewTask = (due: DueTask) => Preview | Promise<Preview>;

/** Questions to the remote cache at once. */
const QUESTIONS = 16;

/** Content of a blob that is not on the disk; null if there is none. */
type ReadBlob = (digest: string) => Promise<Buffer | null>;

/**
 * @param force run the named targets even when they are fresh
 * @param preview tells the outputs of due tasks; without it, a read-only session runs `shape` tasks on trial
 * @throws the reason of the session's signal when it aborts
 */
export async function makePlan(session: Session, force: boolean, preview?: PreviewTask): Promise<Plan> {
  const trials = new TrialRuns(session);
  const onTrial: PreviewTask = ({ task, recipe }) =>
    session.readonly && task.rule.shape ? trials.run(task, recipe) : { kind: "unknown" };
  try {
    return await walk(session, force, trials, preview ?? onTrial);
  } finally {
    await trials.close();
  }
}

async function walk(
  session: Session,
  force: boolean,
  trials: TrialRuns,
  preview: PreviewTask,
): Promise<Plan> {
  let selected = await session.select();
  const frontier = new Frontier(session.graph);
  const outputs = new Map<string, StoredOutput>();
  const known: KnownOutputs = (path) => outputs.get(path);
  const verdicts = new Map<Task, Verdict>();
  const previewed = new Set<Task>();
  const failures = new Map<Task, string>();
  const readBlob: ReadBlob = async (digest) =>
    trials.read(digest) ?? session.store.read(digest) ?? (await session.remote?.read(digest)) ?? null;
  await prefetchSources(session, frontier.extend(selected));
  const turns = new EventLoopTurns();
  let expanded = false;
  const judge = (task: Task, found?: StoredRun): Verdict => {
    const forced = force && selected.named.has(task);
    const verdict = evaluate(session, task, { forced, found, known: outputs.size > 0 ? known : undefined });
    verdicts.set(task, verdict);
    debug.plan?.(`${task.id}: ${verdictText(verdict)}`);
    if (isSettled(verdict)) frontier.settle(task, false);
    if (verdict.state === "restorable") learn(task, verdict.cached.outputs, outputs);
    return verdict;
  };
  const lookAhead = async (due: DueTask): Promise<void> => {
    const { task } = due;
    const result = await preview(due);
    if (result.kind === "unknown") return;
    if (result.kind === "failed") {
      failures.set(task, result.error);
      return;
    }
    if (result.kind === "written") learn(task, result.outputs, outputs);
    previewed.add(task);
    frontier.settle(task, false);
  };
  for (;;) {
    const asked: DueTask[] = [];
    for (let next = frontier.take(); next !== undefined; next = frontier.take()) {
      await turns.give();
      session.hashing.signal?.throwIfAborted();
      const { task } = next;
      const verdict = judge(task);
      if (!isDue(verdict)) continue;
      if (session.remote !== null && !(force && selected.named.has(task))) asked.push({ task, ...verdict });
      else await lookAhead({ task, ...verdict });
    }
    if (asked.length > 0) {
      const found = await findAll(session, asked);
      for (const due of asked) {
        const run = found.get(due.task);
        const verdict = run === undefined ? due : judge(due.task, run);
        if (isDue(verdict)) await lookAhead({ ...verdict, task: due.task });
      }
      continue;
    }
    if (!(await expandAll(session, frontier.takeReadyExpansions(), outputs, readBlob))) break;
    // Expansions come in many rounds, and a check of the whole graph takes long: check once, at the end.
    expanded = true;
    selected = await session.select(false);
    await prefetchSources(session, frontier.extend(selected));
  }
  if (expanded) session.graph.check(selected, session.mayLackInputs);
  return { selected, verdicts, blockers: blockersIn(session.graph, verdicts, previewed), failures };
}

/** Asks the remote cache for results of due tasks, several at a time. */
async function findAll(
  { remote, hashing: { signal } }: Session,
  due: readonly DueTask[],
): Promise<ReadonlyMap<Task, StoredRun>> {
  const found = new Map<Task, StoredRun>();
  await inLanes(due, QUESTIONS, async ({ task, key }) => {
    signal?.throwIfAborted();
    const run = await remote?.find(key);
    if (run) found.set(task, run);
  });
  signal?.throwIfAborted();
  return found;
}

/** Expansions that may bring tasks in this build. */
export function upcomingExpansions({ graph }: Session, { selected }: Plan): readonly PendingExpansion[] {
  return upcoming(graph, selected.expansions).expansions;
}

/** Samples of the tasks that these expansions may bring: lq finds mistakes in their rules before anything runs. */
export function samples({ graph }: Session, expansions: readonly PendingExpansion[]): readonly Task[] {
  return expansions.flatMap((expansion) => graph.sample(expansion) ?? []);
}

/**
 * A task waits for the tasks that it reads from, and for those whose results decide what it reads. Top level on
 * purpose: a closure inside `walk` would keep all its locals alive.
 */
function blockersIn(
  graph: Graph,
  verdicts: ReadonlyMap<Task, Verdict>,
  previewed: ReadonlySet<Task>,
): Plan["blockers"] {
  const isOver = (task: Task): boolean => {
    const verdict = verdicts.get(task);
    return previewed.has(task) || (verdict !== undefined && isSettled(verdict));
  };
  return (task) => {
    const { tasks, expansions } = graph.needs(task);
    const makers = expansions.flatMap((expansion) => graph.producer(expansion.file) ?? []);
    return [...new Set([...tasks, ...makers])].filter((maker) => !isOver(maker));
  };
}

/** @returns whether the graph has new tasks */
async function expandAll(
  session: Session,
  expansions: readonly PendingExpansion[],
  outputs: ReadonlyMap<string, StoredOutput>,
  readBlob: ReadBlob,
): Promise<boolean> {
  let expanded = false;
  for (const expansion of expansions) {
    const text = await readKnown(session.root, expansion.file, outputs, readBlob);
    // The object is damaged: the task that makes the file has to run first.
    if (text === null) continue;
    session.graph.expand(expansion, parseData(text, expansion.file));
    expanded = true;
  }
  return expanded;
}

async function readKnown(
  root: string,
  path: string,
  outputs: ReadonlyMap<string, StoredOutput>,
  readBlob: ReadBlob,
): Promise<string | null> {
  const known = outputs.get(path);
  if (known !== undefined) return (await readBlob(known.digest))?.toString() ?? null;
  for (const dir of ancestors(path)) {
    const tree = outputs.get(dir);
    if (tree?.kind !== "directory") continue;
    const entry = tree.entries.find(({ name }) => dir + name === path);
    return entry === undefined ? null : ((await readBlob(entry.digest))?.toString() ?? null);
  }
  return readFileSync(absolute(root, path), "utf8");
}

function learn(task: Task, written: readonly StoredOutput[], outputs: Map<string, StoredOutput>): void {
  for (const [i, { path }] of task.outputs.entries()) {
    const output = written[i];
    if (output !== undefined) outputs.set(path, output);
  }
}

/** "stale: file a.txt changed: …" */
function verdictText(verdict: Verdict): string {
  if (verdict.state === "fresh") return "fresh";
  if (verdict.state === "lacks-input") return `inputs are not there: ${verdict.paths.join(", ")}`;
  return `${verdict.state}: ${verdict.reasons.map(explain).join("; ")}`;
}

/** Whether it is known that a task runs or is restored. */
export function isToBeMade({ verdicts }: Plan, task: Task): boolean {
  const verdict = verdicts.get(task);
  return verdict !== undefined && (verdict.state === "restorable" || isDue(verdict));
}

/** Whether the outputs of a task are in place or in the cache. */
export function isCached({ verdicts }: Plan, task: Task): boolean {
  const verdict = verdicts.get(task);
  return verdict !== undefined && isSettled(verdict);
}
