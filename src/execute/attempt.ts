/** One attempt at a task: what it gets, and how it ended. */

export interface DeviceLease {
  /** Open in lq. */
  readonly descriptor: number;
  /** A process that is kept for later tasks has to end now. */
  readonly dropped: AbortSignal;
}

export interface Attempt {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the log. */
  readonly log: string;
  readonly devices: readonly string[];
  /** The devices' leases, inherited by the process that uses them. */
  readonly leases: readonly DeviceLease[];
  readonly cpus: number;
  /** Environment variables to set over lq's own. */
  readonly env: { readonly [name: string]: string };
  /** Absolute path of the scratch folder that survives the attempt, or null. */
  readonly scratch: string | null;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
  /** Seconds to save in if the attempt is preempted or its time is up; only with a scratch folder. */
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

/** Milliseconds between asking a task to end and ending it: a cancelled build is over within 3 s. */
const GRACE = 2000;

/** Milliseconds that an attempt gets to end after its signal aborted or its time is up. */
export function graceOf({ scratch, grace, signal }: Attempt): number {
  const maySave = !signal.aborted || signal.reason instanceof Preempted;
  return scratch !== null && maySave ? grace * 1000 : GRACE;
}
