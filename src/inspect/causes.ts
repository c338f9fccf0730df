/**
 * Finds out why a task is not fresh: the tasks that it waits for, or that changed its inputs, and so on down to the
 * first change. It shows tasks of one rule with the same reasons as one.
 */
import { causeOf } from "../decide/explain.ts";
import type { Build } from "../history/builds.ts";
import type { TaskLine } from "../history/lines.ts";
import type { Reason } from "../model/freshness.ts";
import type { TaskStatus } from "../plan/status.ts";

export interface Cause {
  readonly task: TaskStatus;
  /** For a fresh task: the run that made an output which the task above has not read yet. Else null. */
  readonly run: LastRun | null;
  /** How many more tasks of the rule have the same causes. */
  readonly more: number;
  readonly from: readonly Cause[];
  /** Whether the tree has this cause, with everything behind it, already. Then `from` is empty. */
  readonly told: boolean;
}

export interface LastRun {
  readonly build: Build;
  readonly run: TaskLine;
}

/** Looks up facts about tasks. */
export interface TaskFacts {
  readonly status: (id: string) => TaskStatus | undefined;
  readonly lastRun: (id: string) => LastRun | undefined;
  /** The task that makes a path. */
  readonly maker: (path: string) => string | undefined;
}

export function causesOf(id: string, known: TaskFacts): Cause | undefined {
  const tree = new Tree(known);
  const node = tree.node(id);
  return node && tree.tell([node])[0];
}

/** The tasks behind a task that have their own reasons to run. The task itself may be one of them. */
export function rootsOf(id: string, known: TaskFacts): readonly TaskStatus[] {
  const found = new Map<string, TaskStatus>();
  // The loop also visits members that are added during the loop.
  const seen = new Set([id]);
  for (const at of seen) {
    const status = known.status(at);
    if (status === undefined || status.freshness.state === "fresh") continue;
    if (status.freshness.state === "pending") {
      for (const next of status.freshness.on) seen.add(next);
      continue;
    }
    found.set(at, status);
    for (const reason of status.freshness.reasons) {
      const maker = makerOf(reason, known);
      if (maker !== undefined) seen.add(maker);
    }
  }
  return [...found.values()];
}

interface Node {
  readonly task: TaskStatus;
  readonly run: LastRun | null;
}

class Tree {
  readonly #known: TaskFacts;
  readonly #nodes = new Map<string, Node | undefined>();
  readonly #behind = new Map<Node, readonly Node[]>();
  /** Nodes with the same number have the same causes. */
  readonly #numbers = new Map<Node, number>();
  readonly #kinds = new Map<string, number>();
  readonly #told = new Set<number>();

  constructor(known: TaskFacts) {
    this.#known = known;
  }

  node(id: string): Node | undefined {
    if (!this.#nodes.has(id)) {
      const task = this.#known.status(id);
      const run = task?.freshness.state === "fresh" ? (this.#known.lastRun(id) ?? null) : null;
      this.#nodes.set(id, task && { task, run });
    }
    return this.#nodes.get(id);
  }

  tell(nodes: readonly Node[]): readonly Cause[] {
    const groups = new Map<number, { readonly first: Node; more: number }>();
    for (const node of nodes) {
      const group = groups.get(this.#numberOf(node));
      if (group === undefined) groups.set(this.#numberOf(node), { first: node, more: 0 });
      else group.more += 1;
    }
    return [...groups].map(([number, { first, more }]) => {
      const told = this.#told.has(number);
      this.#told.add(number);
      return { ...first, more, told, from: told ? [] : this.tell(this.#nodesBehind(first)) };
    });
  }

  #numberOf(node: Node): number {
    const number = this.#numbers.get(node);
    if (number !== undefined) return number;
    const { task, run } = node;
    const behind = this.#nodesBehind(node);
    const followed = new Set(behind.map(({ task: { id } }) => id));
    const own = reasonsAt(node)
      .filter((reason) => !followed.has(makerOf(reason, this.#known) ?? ""))
      .map((reason) => causeOf(reason, task.rule));
    const from = [...new Set(behind.map((each) => this.#numberOf(each)))].sort((a, b) => a - b);
    const kind = JSON.stringify([task.rule, task.freshness.state, run?.build.number, own, from]);
    const made = this.#kinds.get(kind) ?? this.#kinds.size;
    this.#kinds.set(kind, made);
    this.#numbers.set(node, made);
    return made;
  }

  #nodesBehind(node: Node): readonly Node[] {
    let behind = this.#behind.get(node);
    if (behind === undefined) this.#behind.set(node, (behind = this.#findBehind(node)));
    return behind;
  }

  #findBehind(node: Node): readonly Node[] {
    const { id, freshness } = node.task;
    if (freshness.state === "pending") return freshness.on.flatMap((each) => this.node(each) ?? []);
    const makers = new Set(reasonsAt(node).flatMap((reason) => makerOf(reason, this.#known) ?? []));
    const last = this.#known.lastRun(id)?.build.number ?? 0;
    return [...makers].flatMap((maker) => {
      const found = this.node(maker);
      if (found?.task.freshness.state !== "fresh") return found ?? [];
      // Behind a run are runs of the same build. Behind a task that is not fresh are the runs since it last ran.
      const build = found.run?.build.number ?? 0;
      return (node.run === null ? build > last : build === last) ? [found] : [];
    });
  }
}

function reasonsAt({ task: { freshness }, run }: Node): readonly Reason[] {
  if (run !== null) return run.run.reasons;
  return "reasons" in freshness ? freshness.reasons : [];
}

function makerOf(reason: Reason, { maker }: TaskFacts): string | undefined {
  return reason.kind === "file" ? maker(reason.path) : undefined;
}
