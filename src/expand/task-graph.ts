/** The part of a graph that other files of this folder use. An interface keeps them out of an import circle. */
import type { PendingExpansion, Pipeline, Task } from "../model/model.ts";
import type { Needs } from "./needs.ts";
import type { PathPattern } from "./pending.ts";

export interface TaskGraph {
  readonly pipeline: Pipeline;
  readonly tasks: readonly Task[];
  /** Pending expansions. */
  readonly expansions: readonly PendingExpansion[];
  /** Source files that the graph was made from: the pipeline's, and those that axes were read from. */
  readonly files: readonly string[];
  /** The task that makes a path, or the directory that the path is in. */
  producer(path: string): Task | undefined;
  /** The tasks with an output in a directory (with its "/"; "" is the project). */
  producersUnder(directory: string): readonly Task[];
  /** The tasks and expansions that a task waits for, as far as the graph knows them now. */
  needs(task: Task): Needs;
  /** Pending expansions that may make a path or, for a directory, something in it. */
  expansionsFor(path: string): readonly PendingExpansion[];
  /** Pending expansions that may make an output with such a path. */
  expansionsLike(pattern: PathPattern): readonly PendingExpansion[];
  /** The inputs of the tasks of a pending expansion: known paths, or patterns of paths. */
  readsOf(expansion: PendingExpansion): readonly (string | PathPattern)[];
}
