/** What lq asks of a batch system. Each system is a folder of its own that implements `BatchSystem`. */

/** What one job gets. */
export interface JobRequest {
  readonly cpus: number;
  /** Bytes; 0: the system's default. */
  readonly memory: number;
  readonly gpus: { readonly count: number; readonly type: string | null } | null;
  /** The longest time that a task takes, in seconds; null: the system's default. */
  readonly seconds: number | null;
  /** Seconds before the end at which the job is warned. */
  readonly grace: number;
  /** The system's own settings. */
  readonly settings: ReadonlyMap<string, readonly string[]>;
}

export interface Submission {
  /** Unique; the job's name in the system. */
  readonly name: string;
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the submission's folder. */
  readonly folder: string;
  readonly request: JobRequest;
  /** Number of tasks of the longest pack. */
  readonly tasks: number;
  /** Number of jobs. */
  readonly elements: number;
  /** Nodes that must not run it. */
  readonly avoid: readonly string[];
  /** Program and arguments. The system adds: folder, number of the element, job, number of the restart, node. */
  readonly command: readonly string[];
}

export type Submitted =
  | { readonly kind: "submitted"; readonly id: string }
  /** The system takes no more jobs of this user at the moment. */
  | { readonly kind: "limit"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string }
  /** The system does not answer; whether it took the job is unknown. */
  | { readonly kind: "away"; readonly why: string };

export type EndCause =
  | "cancelled"
  | "time"
  | "preempted"
  | "node"
  | "memory"
  /** The node has no such folder. */
  | "no-project"
  /** The node has no such program. */
  | "no-program"
  | "other";

export interface JobState {
  readonly name: string;
  /** Id of the submission. */
  readonly id: string;
  readonly element: number;
  readonly phase: "queued" | "running" | "over";
  /** The system's words for its state, and why it is in it. */
  readonly state: string;
  readonly reason: string;
  readonly node: string;
}

export interface JobEnd {
  readonly cause: EndCause;
  /** In the system's words. */
  readonly text: string;
  readonly node: string;
}

export interface BatchSystem {
  submit(submission: Submission): Promise<Submitted>;
  /** All jobs of this user that the system knows, also those that ended lately; null: it does not answer. */
  jobs(): Promise<readonly JobState[] | null>;
  /** Why a job ended; null: the system does not answer, or no longer knows it. */
  end(state: JobState): Promise<JobEnd | null>;
  /** @param ids of submissions ("12") or of elements ("12_3"). @returns whether the system answered */
  cancel(ids: readonly string[]): Promise<boolean>;
  /** How many jobs with this request can run at once on the whole machine. */
  places(request: JobRequest): number;
  /** The longest time that a job with this request can have, in seconds; null: no limit. */
  longest(request: JobRequest): number | null;
  /** The largest number of jobs in one submission. */
  readonly mostElements: number;
}

/** "12_3", or "12" if the submission has one element. */
export function jobName(id: string, element: number, elements: number): string {
  return elements === 1 ? id : `${id}_${element}`;
}
