/**
 * Whom each task waits for. What no expansion can change any more is found once; of the other inputs it is found
 * anew when the graph has expanded.
 */
import type { PendingExpansion, Task, TaskPath } from "../model/model.ts";
import type { OutputIndex } from "./outputs.ts";
import type { PendingGrowths } from "./pending.ts";

export interface Needs {
  /** The tasks that make what it reads, as far as the graph has expanded. */
  readonly tasks: readonly Task[];
  /**
   * Expansions that must have expanded before it is known what it reads: all that may add to a directory; for a file
   * those that may make it, unless a task is known to. That the file is there tells nothing, for an earlier
   * build may have made it; of what an expansion itself waits for it is taken to make nothing, unless it surely
   * does: then each waits for the other, a cycle.
   */
  readonly expansions: readonly PendingExpansion[];
  /** What it reads and no task makes, now or ever. */
  readonly sources: readonly TaskPath[];
}

interface Found extends Needs {
  /** Inputs that an expansion may yet make or add to. */
  readonly open: readonly TaskPath[];
  readonly generation: number;
}

const NONE: readonly never[] = [];

export class NeedsIndex {
  readonly #outputs: OutputIndex;
  readonly #pending: PendingGrowths;
  /** By the task's index. */
  readonly #found: Found[] = [];
  /** Counts how often the graph has expanded. */
  #generation = 0;
  /** Every path that is read before an expansion can grow; found when asked for, forgotten when the graph grows. */
  readonly #awaitedBy = new Map<PendingExpansion, ReadonlySet<string>>();

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

  /** To be told when there are other tasks or expansions. */
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
