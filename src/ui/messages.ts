/**
 * Defines the types of what the server sends to the page. Paths are in the form of `src/model/model.ts`. Times are
 * milliseconds since 1970, durations are seconds, sizes are bytes.
 */
import type { BuildHead } from "../events/event-lines.ts";
import type { BuildState } from "../events/follow-events.ts";
import type { Json } from "../model/model.ts";
import type { LiveBuildData } from "./live-build.ts";

/** States of tasks, as in `lq status`. The columns of tasks contain indices of this list. */
export const TASK_STATES = ["fresh", "stale", "missing", "restorable", "pending", "failed"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** The project on disk, at the time of one inspection. */
export interface ProjectView {
  readonly name: string;
  readonly root: string;
  readonly version: string;
  /** The time of the inspection. */
  readonly at: number;
  /** The mistakes in the project, as sentences. Then `rules` is empty. */
  readonly error: string | null;
  readonly rules: readonly RuleView[];
  readonly groups: readonly { readonly name: string; readonly rules: readonly string[] }[];
  /** Columns: entry i of each column belongs to task i. Tasks are in the order of the graph. */
  readonly tasks: {
    /** The id without the rule's name and the ":" after it. */
    readonly id: readonly string[];
    /** Index in `rules`. */
    readonly rule: readonly number[];
    /** Index in TASK_STATES. */
    readonly state: readonly number[];
    /** Seconds of its last run; null: it has not run here. */
    readonly seconds: readonly (number | null)[];
  };
  readonly causes: readonly CauseView[];
  readonly notices: readonly string[];
  /** Whether the project has tables or figures to show. */
  readonly hasResults: boolean;
  readonly builds: readonly BuildLineView[];
}

export interface RuleView {
  readonly name: string;
  /** Files that must be there before more tasks of the rule are known. Empty: all its tasks are known. */
  readonly moreAfter: readonly string[];
  /** Indices in `rules` of the rules that it reads from. */
  readonly from: readonly number[];
  /** The tasks of the rule that the columns leave out, because a report has not all of many tasks; null: none. */
  readonly omitted: OmittedTasks | null;
}

export interface OmittedTasks {
  /** How many are in each state, in the order of TASK_STATES. */
  readonly states: readonly number[];
  /** Sum of the seconds of their last runs, and how many have run. */
  readonly seconds: number;
  readonly timed: number;
}

/** A first cause of runs, and how many tasks it reaches. */
export interface CauseView {
  readonly text: string;
  /** What changed: a path in the params, a file, or a name; empty if `text` says everything. */
  readonly what: string;
  /** "params", "code", "file", and so on. */
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly tasks: number;
  readonly example: string;
}

export interface BuildLineView {
  readonly build: number;
  readonly started: number;
  readonly seconds: number;
  readonly targets: readonly string[];
  readonly complete: boolean;
  readonly ran: number;
  readonly restored: number;
  readonly failed: number;
}

/** The newest build that has events. */
export interface WatchedBuild {
  readonly state: BuildState;
  /** When it wrote its last event. */
  readonly heard: number;
  readonly build: LiveBuildData;
}

export interface Snapshot {
  /** Number of the last message that is included here. */
  readonly id: number;
  /** The time by the server's clock. */
  readonly now: number;
  /** Null: the server has not inspected the project yet. */
  readonly project: ProjectView | null;
  readonly watched: WatchedBuild | null;
}

/** A message of the stream. */
export type Message =
  /** Another build has started. This is its state so far. */
  | { readonly kind: "build"; readonly watched: WatchedBuild }
  | {
      readonly kind: "lines";
      readonly build: number;
      /** Events, without those that only say that the build still runs; see `brief`. */
      readonly lines: readonly object[];
    }
  | { readonly kind: "state"; readonly build: number; readonly state: BuildState; readonly heard: number }
  /** The server has inspected the project again, so ask for it. */
  | { readonly kind: "project"; readonly at: number };

export type { BuildHead, BuildState };

/** A task with all its details. */
export interface TaskView {
  readonly id: string;
  readonly rule: string;
  readonly state: TaskState | null;
  readonly reasons: readonly string[];
  /** The chains down to the changes, as `lq why` shows them. */
  readonly chain: readonly ChainView[];
  readonly on: readonly string[];
  readonly bindings: readonly { readonly name: string; readonly value: string }[];
  readonly params: readonly { readonly name: string; readonly value: Json; readonly origin: string | null }[];
  readonly command: string | null;
  readonly module: string | null;
  readonly codeFiles: readonly string[];
  readonly key: string | null;
  readonly slots: string;
  readonly inputs: readonly PathView[];
  readonly outputs: readonly PathView[];
  readonly log: { readonly path: string; readonly size: number } | null;
  readonly runs: readonly RunView[];
  readonly accepted: { readonly at: number; readonly key: string } | null;
}

export interface ChainView {
  readonly task: string;
  readonly state: string;
  readonly reasons: readonly string[];
  /** How many more tasks of the rule have the same state for the same reasons. */
  readonly more: number;
  readonly told: boolean;
  readonly from: readonly ChainView[];
}

export interface PathView {
  readonly path: string;
  readonly role: string;
  /** Bytes; null: the file is not there. */
  readonly size: number | null;
  readonly digest: string | null;
  /** The task that makes an input (at most one), or tasks that read an output (the first few). */
  readonly tasks: readonly string[];
  readonly more: number;
  /** How the page can show it; null: the page cannot show it. */
  readonly view: FileKind | null;
}

export type FileKind = "text" | "picture" | "page" | "volume";

export interface RunView {
  readonly build: number;
  readonly outcome: string;
  readonly started: number;
  readonly seconds: number;
  readonly devices: readonly string[];
  readonly reasons: readonly string[];
  readonly error: string | null;
}

/** The tasks around a task. The first node is the task itself. */
export interface NeighbourhoodView {
  readonly nodes: readonly NeighbourView[];
  /** Indices of the node that is read and of the node that reads it. */
  readonly edges: readonly (readonly [number, number])[];
}

export interface NeighbourView {
  readonly id: string;
  readonly rule: string;
  readonly state: TaskState | null;
  /** Above 0: the node stands for this many tasks of the rule. */
  readonly more: number;
}

export interface ResultsView {
  /** Whether any result is made from phantoms. */
  readonly synthetic: boolean;
  readonly tables: readonly TableView[];
  readonly figures: readonly FigureView[];
}

export interface TableView {
  readonly path: string;
  readonly title: string;
  readonly task: string;
  readonly state: TaskState | null;
  readonly synthetic: boolean;
  /** Names of the texts that identify a cell, such as row, column, metric. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly metrics: readonly string[];
  /** Empty: the table has no cells.json, so the page shows it as text. */
  readonly cells: readonly CellView[];
  readonly downloads: readonly string[];
}

export interface CellView {
  readonly row: string;
  readonly column: string;
  readonly metric: string;
  readonly mean: number | null;
  readonly std: number | null;
  /** 1 (worst fifth of its column) to 5. */
  readonly quintile: number | null;
  /** The paper's value; null if the table does not have it. */
  readonly paper: number | null;
  readonly note: string;
}

export interface FigureView {
  readonly path: string;
  readonly task: string;
  readonly state: TaskState | null;
}

/** The steps from an output or a cell down to the sources. */
export interface TraceView {
  readonly target: string;
  readonly cell: readonly string[] | null;
  readonly state: TaskState | null;
  readonly scores: readonly { readonly case: string; readonly score: number }[];
  readonly steps: readonly StepView[];
}

export interface StepView {
  readonly depth: number;
  readonly rule: string;
  readonly task: string;
  readonly more: number;
  readonly outputs: readonly string[];
  readonly key: string | null;
  readonly build: number | null;
  readonly finished: number | null;
  readonly seconds: number | null;
  readonly devices: readonly string[];
  readonly accepted: boolean;
  readonly code: string | null;
  readonly params: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly sources: readonly { readonly path: string; readonly digest: string }[];
  readonly seen: boolean;
}
