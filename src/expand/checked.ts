/** What the checks of a graph look at. */
import type { Disk } from "../files/disk.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import type { SourceGlobs } from "./glob.ts";
import type { OutputIndex } from "./outputs.ts";
import type { TaskGraph } from "./task-graph.ts";

export interface Selection {
  readonly tasks: ReadonlySet<Task>;
  readonly expansions: ReadonlySet<PendingExpansion>;
}

export interface Collision {
  readonly path: string;
  readonly first: Task;
  readonly second: Task;
}

/** A graph, with the data that it was made from. */
export interface Checked {
  readonly graph: TaskGraph;
  readonly disk: Disk;
  readonly globs: SourceGlobs;
  readonly outputs: OutputIndex;
  /** Outputs that two tasks make. */
  readonly collisions: readonly Collision[];
}
