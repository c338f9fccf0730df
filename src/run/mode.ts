/** The two ways to carry out a plan: run what is due, or accept what the last runs left in place. */
import type { DueTask } from "../plan/evaluate.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import type { Recorder } from "../record/record.ts";
import type { Session } from "../session/session.ts";
import { accept, previewAcceptance, refuseUnacceptable } from "./accept.ts";

export interface Mode {
  /** The outcome of a due task that ends well. */
  readonly outcome: "ran" | "accepted";
  /** In a dry run, the outcome of a task that the plan did not reach. */
  readonly unreached: "ran" | "skipped";
  /** Whether the remote cache is asked for results, and gets what is made. */
  readonly usesRemote: boolean;
  plan(session: Session, force: boolean): Promise<Plan>;
  /** @throws UserError if the plan cannot be carried out in this mode */
  check(plan: Plan): void;
  /** Those of the items that this mode may run. Their slots, params and environments must be right. */
  toRun<T>(items: readonly T[]): readonly T[];
  /** Handles a due task in place of a run; null: the task runs. Returns the reason of a refusal, or null. */
  readonly inPlaceOfRun:
    ((session: Session, recorder: Recorder, due: DueTask) => Promise<string | null>) | null;
  /** Warnings that a dry run adds at its end. */
  dryRunWarnings(plan: Plan): readonly string[];
}

export const RUN: Mode = {
  outcome: "ran",
  unreached: "ran",
  usesRemote: true,
  plan: (session, force) => makePlan(session, force),
  check: () => undefined,
  toRun: (items) => items,
  inPlaceOfRun: null,
  dryRunWarnings: () => [],
};

/** `lq accept` */
export const ACCEPT: Mode = {
  outcome: "accepted",
  unreached: "skipped",
  usesRemote: false,
  plan: (session, force) => makePlan(session, force, previewAcceptance(session)),
  check: refuseUnacceptable,
  toRun: () => [],
  inPlaceOfRun: accept,
  dryRunWarnings: ({ failures }) =>
    failures.size > 0 ? ["lq accepts nothing while one of these tasks cannot be accepted"] : [],
};
