/** Describes one attempt at a task: what the attempt gets, and how it ended. */

export interface DeviceLease {
  /** A descriptor that is open in lq. */
  readonly descriptor: number;
  /** Aborts when a process that is kept for later tasks has to end. */
  readonly dropped: AbortSignal;
}

export interface Attempt {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the log. */
  readonly log: string;
  readonly devices: readonly string[];
  /** The leases of the devices. The process that uses the devices inherits their descriptors. */
  readonly leases: readonly DeviceLease[];
  readonly cpus: number;
  /** Environment variables to set in addition to lq's own. */
  readonly env: { readonly [name: string]: string };
  /** Absolute path of the scratch folder that later attempts also see; null if the rule has none. */
  readonly scratch: string | null;
  /** Seconds; null: no limit. */
  readonly timeout: number | null;
  /** Seconds that a task with a scratch folder gets to save if it is preempted or its time is up. */
  readonly grace: number;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

export type AttemptResult =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "cancelled" };

/**
 * The reason of an abort after a batch system's signal, which announces that it will soon take the machine. Resumable
 * tasks then get time to save their state.
 */
export class Preempted extends Error {
  override readonly name = "Preempted";
}

/** Milliseconds between asking a task to end and killing it. So a cancelled build ends within 3 s. */
const GRACE = 2000;

/** Milliseconds that an attempt gets to end after its signal aborted or its time is up. */
export function graceOf({ scratch, grace, signal }: Attempt): number {
  const maySave = !signal.aborted || signal.reason instanceof Preempted;
  return scratch !== null && maySave ? grace * 1000 : GRACE;
}
