/**
 * Why a task is not fresh: what it waits for, or what made its inputs others, and so on down to what changed. Tasks
 * of one rule that are so for the same reasons are told as one.
 */
import { causeOf } from "../decide/explain.ts";
import type { Build } from "../history/builds.ts";
import type { TaskLine } from "../history/lines.ts";
import type { Reason } from "../model/model.ts";
import type { TaskStatus } from "../plan/status.ts";

export interface Cause {
  readonly task: TaskStatus;
  /** Of a task that is fresh: the run that made what its reader has not read yet. */
  readonly run: LastRun | null;
  /** How many more tasks of the rule are so for the same. */
  readonly more: number;
  readonly from: readonly Cause[];
  /** Told before, higher up or to the side, with all that is behind it. */
  readonly told: boolean;
}

export interface LastRun {
  readonly build: Build;
  readonly run: TaskLine;
}

/** What is known of tasks, by id. */
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

/** The tasks behind one that have reasons of their own, itself among them. */
export function rootsOf(id: string, known: TaskFacts): readonly TaskStatus[] {
  const found = new Map<string, TaskStatus>();
  // A set tells its members in the order of adding, those too that are added meanwhile.
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
  /** Nodes with one number are so for the same. */
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
      // Behind a run are those of the same build; behind what is not fresh, those since it last ran.
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
