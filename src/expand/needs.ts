/**
 * Whom each task waits for. What no growth can change any more is found once; of the other inputs it is found
 * anew when the graph has grown.
 */
import type { Growth, Task, TaskPath } from "../model/model.ts";
import type { OutputIndex } from "./outputs.ts";
import type { PendingGrowths } from "./pending.ts";

export interface Needs {
  /** The tasks that make what it reads, as far as the graph has grown. */
  readonly tasks: readonly Task[];
  /**
   * Growths that must have grown before it is known what it reads: all that may add to a directory; for a file
   * those that may make it, unless a task is known to. That the file is there tells nothing, for an earlier
   * build may have made it; of what a growth itself waits for it is taken to make nothing, unless it surely
   * does: then each waits for the other, a cycle.
   */
  readonly growths: readonly Growth[];
  /** What it reads and no task makes, now or ever. */
  readonly sources: readonly TaskPath[];
}

interface Found extends Needs {
  /** Inputs that a growth may yet make or add to. */
  readonly open: readonly TaskPath[];
  readonly generation: number;
}

const NONE: readonly never[] = [];

export class NeedsIndex {
  readonly #outputs: OutputIndex;
  readonly #pending: PendingGrowths;
  /** By the task's index. */
  readonly #found: Found[] = [];
  /** Counts how often the graph has grown. */
  #generation = 0;
  /** Every path that is read before a growth can grow; found when asked for, forgotten when the graph grows. */
  readonly #awaitedBy = new Map<Growth, ReadonlySet<string>>();

  constructor(outputs: OutputIndex, pending: PendingGrowths) {
    this.#outputs = outputs;
    this.#pending = pending;
  }

  of(task: Task): Needs {
    const known = this.#found[task.index];
    if (known !== undefined && (known.open.length === 0 || known.generation === this.#generation))
      return known;
    return (this.#found[task.index] = this.#look(known ?? { tasks: NONE, sources: NONE, open: task.inputs }));
  }

  /** To be told when there are other tasks or growths. */
  grown(): void {
    this.#generation += 1;
    this.#awaitedBy.clear();
  }

  #look({ tasks, sources, open }: Pick<Found, "tasks" | "sources" | "open">): Found {
    const makers = new Set(tasks);
    const growths = new Set<Growth>();
    const unmade = new Set(sources);
    const stillOpen = new Set<TaskPath>();
    for (const input of open) {
      const { path } = input;
      const producer = this.#outputs.producer(path);
      if (producer) {
        makers.add(producer);
        continue;
      }
      const under = path.endsWith("/") || path === "" ? this.#outputs.under(path) : NONE;
      for (const maker of under) makers.add(maker);
      const possible = this.#pending.for(path);
      if (possible.length > 0) stillOpen.add(input);
      else if (under.length === 0) unmade.add(input);
      for (const growth of possible)
        if (this.#pending.surely(growth, path) || !this.#awaited(growth).has(path)) growths.add(growth);
    }
    return {
      tasks: listOf(makers),
      growths: listOf(growths),
      sources: listOf(unmade),
      open: listOf(stillOpen),
      generation: this.#generation,
    };
  }

  #awaited(growth: Growth): ReadonlySet<string> {
    const known = this.#awaitedBy.get(growth);
    if (known !== undefined) return known;
    const paths = new Set([growth.file]);
    for (const path of paths) {
      const producer = this.#outputs.producer(path);
      const makers = producer ? [producer] : path.endsWith("/") ? this.#outputs.under(path) : NONE;
      for (const maker of makers) for (const input of maker.inputs) paths.add(input.path);
      if (!producer) for (const other of this.#pending.for(path)) paths.add(other.file);
    }
    this.#awaitedBy.set(growth, paths);
    return paths;
  }
}

function listOf<T>(items: ReadonlySet<T>): readonly T[] {
  return items.size > 0 ? [...items] : NONE;
}
