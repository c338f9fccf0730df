/**
 * What a build would do, as far as can be told without doing it: the walk that `status`, `build -n` and the
 * first part of every build share. It goes on past tasks that are restorable, whose outputs are known; what
 * comes after a task that has to run is pending, unless its rule is marked `shape`: who only looks foresees its
 * outputs.
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
import type { StoredOutput } from "../store/action.ts";
import type { Selected } from "../select/select.ts";
import { evaluate, type DueTask, type Verdict } from "./evaluate.ts";
import { Frontier } from "./frontier.ts";
import { TrialRuns } from "./trial-runs.ts";
import { prefetchSources } from "./prefetch.ts";
import type { Session } from "../session/session.ts";

export interface Plan {
  readonly selected: Selected;
  /**
   * Of every task that is not pending, in an order in which each comes after those it depends on. A build brings it
   * up to date as it goes on.
   */
  readonly verdicts: Map<Task, Verdict>;
  /** The tasks that a pending task waits for. */
  readonly blockers: (task: Task) => readonly Task[];
  /** Tasks that would fail, and why, as far as that is foreseen. */
  readonly failures: ReadonlyMap<Task, string>;
}

/** Why a task cannot be accepted; null: it can. */
export type Judge = (due: DueTask) => string | null;

type Preview = readonly StoredOutput[] | string | null;

/** Content of a blob that is not on the disk; null if there is none. */
type ReadBlob = (digest: string) => Buffer | null;

/**
 * @param force run the named targets even when they are fresh
 * @param judge nothing is to run: tasks that it has nothing against are passed, with their outputs as they are
 * @throws the reason of the session's signal when it aborts
 */
export async function makePlan(session: Session, force: boolean, judge?: Judge): Promise<Plan> {
  const trials = new TrialRuns(session);
  const preview = ({ task, recipe }: DueTask) =>
    session.readonly && task.rule.shape ? trials.run(task, recipe) : null;
  try {
    return await walk(session, force, trials, judge ? (due) => judge(due) ?? [] : preview);
  } finally {
    await trials.close();
  }
}

/** @param foretell what is known of what a task would write, or why it would fail; null: neither is */
async function walk(
  session: Session,
  force: boolean,
  trials: TrialRuns,
  foretell: (due: DueTask) => Preview | Promise<Preview>,
): Promise<Plan> {
  let selected = await session.select();
  const frontier = new Frontier(session.graph);
  const outputs = new Map<string, StoredOutput>();
  const known: KnownOutputs = (path) => outputs.get(path);
  const verdicts = new Map<Task, Verdict>();
  const foreseen = new Set<Task>();
  const failures = new Map<Task, string>();
  const readBlob: ReadBlob = (digest) => trials.read(digest) ?? session.store.read(digest);
  await prefetchSources(session, frontier.extend(selected));
  const turns = new EventLoopTurns();
  let expanded = false;
  for (;;) {
    for (let next = frontier.take(); next !== undefined; next = frontier.take()) {
      await turns.give();
      session.hashing.signal?.throwIfAborted();
      const { task } = next;
      const forced = force && selected.named.has(task);
      const verdict = evaluate(session, task, { forced, known: outputs.size > 0 ? known : undefined });
      verdicts.set(task, verdict);
      debug.plan?.(`${task.id}: ${verdictText(verdict)}`);
      if (isSettled(verdict)) frontier.settle(task, false);
      if (verdict.kind === "restorable") learn(task, verdict.cached.outputs, outputs);
      if (verdict.kind !== "due") continue;
      const result = await foretell({ task, ...verdict });
      if (result === null) continue;
      if (typeof result === "string") failures.set(task, result);
      else {
        learn(task, result, outputs);
        foreseen.add(task);
        frontier.settle(task, false);
      }
    }
    if (!expandAll(session, frontier.takeReadyExpansions(), outputs, readBlob)) break;
    // Expansions come in many rounds, and a look at the whole graph takes long: one at the end says all at once.
    expanded = true;
    selected = await session.select(false);
    await prefetchSources(session, frontier.extend(selected));
  }
  if (expanded) session.graph.check(selected);
  return { selected, verdicts, blockers: blockersIn(session.graph, verdicts, foreseen), failures };
}

/** What may become tasks in this build. */
export function upcomingExpansions({ graph }: Session, { selected }: Plan): readonly PendingExpansion[] {
  return upcoming(graph, selected.expansions).expansions;
}

/** Stand-ins for those tasks, so that mistakes in their rules are told before anything runs. */
export function samples({ graph }: Session, expansions: readonly PendingExpansion[]): readonly Task[] {
  return expansions.flatMap((expansion) => graph.sample(expansion) ?? []);
}

/**
 * A task waits for those it reads from, and those whose result tells whom it reads from. (Outside of the walk, all of
 * which a function in it would keep.)
 */
function blockersIn(
  graph: Graph,
  verdicts: ReadonlyMap<Task, Verdict>,
  foreseen: ReadonlySet<Task>,
): Plan["blockers"] {
  const isOver = (task: Task): boolean => {
    const verdict = verdicts.get(task);
    return foreseen.has(task) || (verdict !== undefined && isSettled(verdict));
  };
  return (task) => {
    const { tasks, expansions } = graph.needs(task);
    const makers = expansions.flatMap((expansion) => graph.producer(expansion.file) ?? []);
    return [...new Set([...tasks, ...makers])].filter((maker) => !isOver(maker));
  };
}

/** Whether what it would make is there, or can be restored. */
export function isSettled({ kind }: Verdict): boolean {
  return kind === "fresh" || kind === "restorable";
}

/** @returns whether anything has expanded */
function expandAll(
  session: Session,
  expansions: readonly PendingExpansion[],
  outputs: ReadonlyMap<string, StoredOutput>,
  readBlob: ReadBlob,
): boolean {
  let expanded = false;
  for (const expansion of expansions) {
    const text = readKnown(session.root, expansion.file, outputs, readBlob);
    // An object that is damaged: the task that makes the file has to run first.
    if (text === null) continue;
    session.graph.expand(expansion, parseData(text, expansion.file));
    expanded = true;
  }
  return expanded;
}

function readKnown(
  root: string,
  path: string,
  outputs: ReadonlyMap<string, StoredOutput>,
  readBlob: ReadBlob,
): string | null {
  const known = outputs.get(path);
  if (known !== undefined) return readBlob(known.digest)?.toString() ?? null;
  for (const dir of ancestors(path)) {
    const tree = outputs.get(dir);
    if (tree?.kind !== "directory") continue;
    const entry = tree.entries.find(({ name }) => dir + name === path);
    return entry === undefined ? null : (readBlob(entry.digest)?.toString() ?? null);
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
  if (verdict.kind === "missing") return `inputs are not there: ${verdict.paths.join(", ")}`;
  const { freshness } = verdict;
  if (freshness.state === "fresh") return "fresh";
  return `${freshness.state}: ${freshness.reasons.map(explain).join("; ")}`;
}
