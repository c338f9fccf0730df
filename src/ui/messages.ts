/**
 * What the server tells the page, as types. Paths are as in `src/model/model.ts`; times are milliseconds since 1970,
 * durations seconds, sizes bytes.
 */
import type { BuildHead } from "../events/event-lines.ts";
import type { BuildState } from "../events/follow-events.ts";
import type { Json } from "../model/model.ts";
import type { LiveBuildData } from "./live-build.ts";

/** How a task is now, in the words of `lq status`; the columns of tasks have their places in this list. */
export const TASK_STATES = ["fresh", "stale", "missing", "restorable", "pending", "failed"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** The project as it is on disk at a moment. */
export interface ProjectView {
  readonly name: string;
  readonly root: string;
  readonly version: string;
  /** When this was looked at. */
  readonly at: number;
  /** What is wrong with the project, in sentences; then it has no rules. */
  readonly error: string | null;
  readonly rules: readonly RuleView[];
  readonly groups: readonly { readonly name: string; readonly rules: readonly string[] }[];
  /** Columns: entry i of each is of task i. Tasks come in the graph's order. */
  readonly tasks: {
    /** Without the rule's name and the ":" after it. */
    readonly id: readonly string[];
    /** Place in `rules`. */
    readonly rule: readonly number[];
    /** Place in TASK_STATES. */
    readonly state: readonly number[];
    /** Of its last run; null: it has not run here. */
    readonly seconds: readonly (number | null)[];
  };
  readonly causes: readonly CauseView[];
  readonly notices: readonly string[];
  /** Whether there is a page of results. */
  readonly hasResults: boolean;
  readonly builds: readonly BuildLineView[];
}

export interface RuleView {
  readonly name: string;
  /** What more tasks of it wait for; empty: all of its tasks are known. */
  readonly moreAfter: readonly string[];
  /** Places in `rules` of the rules that it reads from. */
  readonly from: readonly number[];
}

/** A first cause of runs, and how many tasks it reaches. */
export interface CauseView {
  readonly text: string;
  /** What changed: a path of params, a file, or a name; empty where the text says all. */
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

/** The build whose events are newest. */
export interface WatchedBuild {
  readonly state: BuildState;
  /** When it was last heard of. */
  readonly heard: number;
  readonly build: LiveBuildData;
}

export interface Snapshot {
  /** Of the last message that is in here. */
  readonly id: number;
  /** By the server's clock. */
  readonly now: number;
  /** Null: the project has not been looked at yet. */
  readonly project: ProjectView | null;
  readonly watched: WatchedBuild | null;
}

/** A message of the stream. */
export type Message =
  /** Another build has begun: what is known of it so far. */
  | { readonly kind: "build"; readonly watched: WatchedBuild }
  | {
      readonly kind: "lines";
      readonly build: number;
      /** Events, without those that only say that the build goes on; see `brief`. */
      readonly lines: readonly object[];
    }
  | { readonly kind: "state"; readonly build: number; readonly state: BuildState; readonly heard: number }
  /** The project was looked at again: ask for it. */
  | { readonly kind: "project"; readonly at: number };

export type { BuildHead, BuildState };

/** A task in full. */
export interface TaskView {
  readonly id: string;
  readonly rule: string;
  readonly state: TaskState | null;
  readonly reasons: readonly string[];
  /** The chains to what changed, as `lq why` tells them. */
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
  /** How many more tasks of the rule are so for the same. */
  readonly more: number;
  readonly told: boolean;
  readonly from: readonly ChainView[];
}

export interface PathView {
  readonly path: string;
  readonly role: string;
  /** Null: it is not there. */
  readonly size: number | null;
  readonly digest: string | null;
  /** Tasks on the other side: makers of an input (at most one), readers of an output (the first few). */
  readonly tasks: readonly string[];
  readonly more: number;
  /** How the page can show it; null: not at all. */
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

export interface ResultsView {
  /** Whether anything is made from phantoms. */
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
  /** Names of the texts that tell cells apart, such as row, column, metric. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly metrics: readonly string[];
  /** Empty: the table has no cells.json, and is shown as text. */
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
  /** The paper's value, where the table has it. */
  readonly paper: number | null;
  readonly note: string;
}

export interface FigureView {
  readonly path: string;
  readonly task: string;
  readonly state: TaskState | null;
}

/** What stands behind an output or a cell: a line of steps down to the sources. */
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
