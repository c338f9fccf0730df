/**
 * Finds out what each task waits for. It looks once for the tasks that make an input if no pending expansion can
 * change the answer. For other inputs it looks again after each expansion.
 */
import type { PendingExpansion, Task, TaskPath } from "../model/model.ts";
import type { OutputIndex } from "./outputs.ts";
import type { PendingExpansions } from "./pending.ts";

export interface Needs {
  /** The tasks that make what it reads, as far as the graph has expanded. */
  readonly tasks: readonly Task[];
  /**
   * Pending expansions that must expand before lq knows what the task reads. For a directory these are all expansions
   * that may add to it. For a file they are those that may make it, unless a known task makes it. A file on the disk
   * proves nothing, because an earlier build may have made it. lq assumes that an expansion does not make a path that
   * the expansion itself waits for. If it surely makes such a path, the two wait for each other: that is a cycle.
   */
  readonly expansions: readonly PendingExpansion[];
  /** Inputs that no task makes, now or after an expansion. */
  readonly sources: readonly TaskPath[];
}

interface Found extends Needs {
  /** Inputs that a pending expansion may make or add to. */
  readonly open: readonly TaskPath[];
  readonly generation: number;
}

const NONE: readonly never[] = [];

export class NeedsIndex {
  readonly #outputs: OutputIndex;
  readonly #pending: PendingExpansions;
  /** What each task waits for, by the task's index. */
  readonly #found: Found[] = [];
  /** Counts how often the graph has expanded. */
  #generation = 0;
  /** Every path that is read before an expansion can expand. Computed on demand, dropped when the graph expands. */
  readonly #awaitedBy = new Map<PendingExpansion, ReadonlySet<string>>();

  constructor(outputs: OutputIndex, pending: PendingExpansions) {
    this.#outputs = outputs;
    this.#pending = pending;
  }

  of(task: Task): Needs {
    const known = this.#found[task.index];
    if (known !== undefined && (known.open.length === 0 || known.generation === this.#generation))
      return known;
    return (this.#found[task.index] = this.#look(known ?? { tasks: NONE, sources: NONE, open: task.inputs }));
  }

  /** Call this when tasks or expansions were added. */
  graphExpanded(): void {
    this.#generation += 1;
    this.#awaitedBy.clear();
  }

  #look({ tasks, sources, open }: Pick<Found, "tasks" | "sources" | "open">): Found {
    const makers = new Set(tasks);
    const expansions = new Set<PendingExpansion>();
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
      for (const expansion of possible)
        if (this.#pending.surely(expansion, path) || !this.#awaited(expansion).has(path))
          expansions.add(expansion);
    }
    return {
      tasks: listOf(makers),
      expansions: listOf(expansions),
      sources: listOf(unmade),
      open: listOf(stillOpen),
      generation: this.#generation,
    };
  }

  #awaited(expansion: PendingExpansion): ReadonlySet<string> {
    const known = this.#awaitedBy.get(expansion);
    if (known !== undefined) return known;
    const paths = new Set([expansion.file]);
    for (const path of paths) {
      const producer = this.#outputs.producer(path);
      const makers = producer ? [producer] : path.endsWith("/") ? this.#outputs.under(path) : NONE;
      for (const maker of makers) for (const input of maker.inputs) paths.add(input.path);
      if (!producer) for (const other of this.#pending.for(path)) paths.add(other.file);
    }
    this.#awaitedBy.set(expansion, paths);
    return paths;
  }
}

function listOf<T>(items: ReadonlySet<T>): readonly T[] {
  return items.size > 0 ? [...items] : NONE;
}
