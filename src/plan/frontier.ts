/**
 * Knows which tasks can be evaluated now, because everything that they wait for is settled. It holds a task back while
 * the task's inputs depend on pending expansions: only after these expand does lq know which tasks it waits for.
 */
import type { Graph } from "../expand/graph.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import { Heap } from "../schedule/heap.ts";
import type { Selected } from "../select/select.ts";

interface Node {
  readonly task: Task;
  consumers: Node[];
  /** How many of the tasks that it waits for are not settled. */
  waiting: number;
  settled: boolean;
  /** A task that it waited for has run in this build. */
  rebuilt: boolean;
}

const NONE: Node[] = [];

export interface Ready {
  readonly task: Task;
  readonly rebuilt: boolean;
}

export class Frontier {
  readonly #graph: Graph;
  readonly #isSettled: (task: Task) => boolean;
  readonly #nodes = new Map<Task, Node>();
  readonly #held = new Set<Node>();
  readonly #ready = new Heap<Node>((a, b) => a.task.index < b.task.index);
  /** Pending expansions, by the task that makes their file. */
  #expansions = new Map<Task, PendingExpansion[]>();
  #readyExpansions: PendingExpansion[] = [];

  /** @param isSettled tasks that are settled from the start */
  constructor(graph: Graph, isSettled: (task: Task) => boolean = () => false) {
    this.#graph = graph;
    this.#isSettled = isSettled;
  }

  /** Adds the selected tasks and expansions, at the start and after each expansion. @returns the new tasks */
  extend({ tasks, expansions }: Selected): readonly Task[] {
    const added: Task[] = [];
    for (const task of tasks) {
      if (this.#nodes.has(task) || this.#isSettled(task)) continue;
      const node = { task, consumers: NONE, waiting: 0, settled: false, rebuilt: false };
      this.#nodes.set(task, node);
      this.#held.add(node);
      added.push(task);
    }
    for (const node of this.#held) if (this.#graph.needs(node.task).expansions.length === 0) this.#link(node);
    this.#expect(expansions);
    return added;
  }

  /** The next task to evaluate, in the order of the graph. */
  take(): Ready | undefined {
    return this.#ready.size > 0 ? this.#ready.pop() : undefined;
  }

  /** @param changed whether the task has run in this build */
  settle(task: Task, changed: boolean): void {
    const node = this.#nodes.get(task);
    if (node === undefined || node.settled) return;
    node.settled = true;
    for (const consumer of node.consumers) {
      consumer.rebuilt ||= changed;
      consumer.waiting -= 1;
      if (consumer.waiting === 0) this.#ready.push(consumer);
    }
    this.#readyExpansions.push(...(this.#expansions.get(task) ?? []));
  }

  /** Expansions whose file is there now. Returns each of them once. */
  takeReadyExpansions(): readonly PendingExpansion[] {
    return this.#readyExpansions.splice(0);
  }

  get hasReadyExpansions(): boolean {
    return this.#readyExpansions.length > 0;
  }

  /** Tasks that are not settled. */
  unsettled(): readonly Task[] {
    return [...this.#nodes.values()].filter((node) => !node.settled).map((node) => node.task);
  }

  consumers(task: Task): readonly Task[] {
    return (this.#nodes.get(task)?.consumers ?? []).map((node) => node.task);
  }

  #link(node: Node): void {
    this.#held.delete(node);
    for (const dependency of this.#graph.dependencies(node.task)) {
      if (this.#done(dependency)) continue;
      const maker = this.#nodes.get(dependency);
      // Most tasks have one consumer. A new list with one item takes less memory: `push` reserves room for 16 more.
      if (maker?.consumers === NONE) maker.consumers = [node];
      else maker?.consumers.push(node);
      node.waiting += 1;
    }
    if (node.waiting === 0) this.#ready.push(node);
  }

  #done(task: Task): boolean {
    return this.#isSettled(task) || this.#nodes.get(task)?.settled === true;
  }

  #expect(expansions: ReadonlySet<PendingExpansion>): void {
    this.#expansions = new Map();
    this.#readyExpansions = [];
    for (const expansion of expansions) {
      const maker = this.#graph.producer(expansion.file);
      if (maker === undefined) continue;
      if (this.#done(maker)) this.#readyExpansions.push(expansion);
      else this.#expansions.set(maker, [...(this.#expansions.get(maker) ?? []), expansion]);
    }
  }
}
