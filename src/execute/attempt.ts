/** One try of one task: what it is given, and how it ended. */

export interface Attempt {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the log. */
  readonly log: string;
  readonly devices: readonly string[];
  readonly cpus: number;
  /** Environment variables to set over lq's own. */
  readonly env: { readonly [name: string]: string };
  /** Absolute path of the scratch folder that survives the attempt, or null. */
  readonly scratch: string | null;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

export type AttemptResult =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "cancelled" };

/** Milliseconds between asking a task to end and ending it: a cancelled build is over within 3 s. */
export const GRACE = 2000;
