/** Runs one task to its end: makes attempts, checks their outputs, and records the result. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { userErrorOf } from "../model/errors.ts";
import type { AttemptResult } from "../execute/attempt.ts";
import { taskEnvironment } from "../execute/environment.ts";
import type { Executor } from "../execute/execute.ts";
import { logPath, metricsPath } from "../execute/log-path.ts";
import { sizeOf, tailOf, TaskLog, textFrom } from "../execute/log.ts";
import { RUN } from "../system/process-tree.ts";
import { StagingArea, type Staging } from "../execute/staging.ts";
import { TaskReports } from "../execute/task-reports.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Task } from "../model/model.ts";
import { SCRATCH, STAGING } from "../model/layout.ts";
import type { Recorder } from "../record/record.ts";
import { remove } from "../files/remove.ts";
import type { Event } from "../report/events.ts";
import type { Grant } from "../schedule/slots.ts";
import type { Session } from "../session/session.ts";

export interface TaskRun {
  readonly task: Task;
  readonly key: string;
  readonly recipe: Recipe;
  readonly grant: Grant;
  /** Attempts before this one; the last of them ran out of device memory. */
  readonly attempts: number;
  readonly signal: AbortSignal;
  /** Gives the grant back. */
  readonly release: () => void;
}

type Unfinished =
  | { readonly kind: "cancelled" }
  /** Its share of a device's memory was too small. It runs again with the whole device. */
  | { readonly kind: "out-of-device-memory"; readonly attempts: number }
  /** Inputs changed while it ran, so its result is dropped. */
  | { readonly kind: "inputs-changed"; readonly paths: readonly string[] };

interface Failed {
  readonly kind: "failed";
  readonly error: string;
}

/** The result of the attempts. Outputs that were made are not recorded yet. */
type Making = Unfinished | Failed | { readonly kind: "made"; readonly seconds: number };

export type RunResult =
  | Unfinished
  | { readonly kind: "ran" }
  | (Failed & {
      /** The last lines that it printed. */
      readonly tail: readonly string[];
      /** The path of its log; left out if it printed nothing. */
      readonly log?: string;
    });

/** At most this many tasks hash and store their outputs while other tasks use their slots. */
const MOST_RECORDING = 4;

export class TaskRunner {
  readonly #session: Session;
  readonly #executor: Executor;
  readonly #recorder: Recorder;
  readonly #staging: StagingArea;
  #recording = 0;

  constructor(session: Session, executor: Executor, recorder: Recorder) {
    this.#session = session;
    this.#executor = executor;
    this.#recorder = recorder;
    this.#staging = new StagingArea(join(session.root, STAGING, RUN));
  }

  /**
   * @param emit gets events of progress and of each next attempt
   * @returns how it ended; a failure is already recorded
   */
  async run(run: TaskRun, emit: (event: Event) => void): Promise<RunResult> {
    const { task, key } = run;
    const started = performance.now();
    const staging = this.#staging.take(task.outputs);
    try {
      const made = await this.#make(run, staging, emit);
      const result = made.kind === "made" ? await this.#record(run, staging, made.seconds) : made;
      if (result.kind !== "failed") return result;
      const { error } = result;
      const log = logPath(task);
      const seconds = (performance.now() - started) / 1000;
      this.#session.state.recordFailed({ id: task.id, key, seconds, finished: Date.now(), log, error });
      const file = join(this.#session.root, log);
      return { ...result, tail: tailOf(file, error), ...(sizeOf(file) > 0 && { log }) };
    } finally {
      this.#staging.give(staging);
    }
  }

  /** Makes attempts until one succeeds or none is left. */
  async #make(run: TaskRun, staging: Staging, emit: (event: Event) => void): Promise<Making> {
    const { task, grant, attempts } = run;
    const logFile = join(this.#session.root, logPath(task));
    if (attempts === 0 && sizeOf(logFile) > 0) rmSync(logFile);
    // An attempt that ran out of device memory does not count as a retry.
    const most = task.rule.retries + (attempts === 0 ? 1 : 2);
    for (let attempt = attempts + 1; ; attempt++) {
      const printed = attempt === 1 ? 0 : sizeOf(logFile);
      const result = await this.#attempt(run, staging, logFile, emit);
      if (result.kind !== "failed") return result;
      const { error } = result;
      const next = { type: "retry", task: task.id, attempt: attempt + 1, error } as const;
      const wholeDevice = sharesDevice(grant) && task.rule.oom?.test(textFrom(logFile, printed)) === true;
      if (!wholeDevice && attempt >= most) return result;
      note(logFile, `attempt ${attempt} failed: ${error}`);
      emit({ ...next, wholeDevice });
      if (wholeDevice) return { kind: "out-of-device-memory", attempts: attempt };
      staging.prepare(task.outputs);
    }
  }

  async #attempt(
    run: TaskRun,
    staging: Staging,
    logFile: string,
    emit: (event: Event) => void,
  ): Promise<Exclude<Making, { kind: "out-of-device-memory" }>> {
    const { task, recipe } = run;
    const started = performance.now();
    const scratch = this.#scratch(run);
    const resumes = scratch !== null && existsSync(scratch);
    const reports = new TaskReports(task.id, metricsPath(logFile), resumes, emit);
    try {
      const result = await this.#execute(run, staging, logFile, reports);
      reports.close();
      if (result.kind !== "done") return result;
      const missing = staging.missingOutput(task.outputs);
      if (missing !== null) return { kind: "failed", error: missing };
      const changed = await this.#session.fingerprinter.changedInputs(recipe);
      if (changed.length > 0) return { kind: "inputs-changed", paths: changed };
      return { kind: "made", seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      return failureOf(error);
    }
  }

  /**
   * Hashes and stores the outputs. It gives the task's slots to other tasks meanwhile, unless too many tasks store
   * their outputs already.
   */
  async #record(run: TaskRun, staging: Staging, seconds: number): Promise<Failed | { readonly kind: "ran" }> {
    const { task, key, recipe } = run;
    if (this.#recording < MOST_RECORDING) run.release();
    this.#recording += 1;
    try {
      const log = logPath(task);
      await this.#recorder.recordRun({ task, key, recipe, staged: staging.paths, seconds, log });
      const scratch = this.#scratch(run);
      if (scratch !== null) remove(scratch);
      return { kind: "ran" };
    } catch (error) {
      return failureOf(error);
    } finally {
      this.#recording -= 1;
    }
  }

  #execute(run: TaskRun, staging: Staging, log: string, reports: TaskReports): Promise<AttemptResult> {
    const { task, recipe, grant, signal } = run;
    const scratch = this.#scratch(run);
    if (scratch !== null) mkdirSync(scratch, { recursive: true });
    const devices = grant.devices.map(({ device }) => device.id);
    const leases = grant.devices.flatMap(({ lease }) => lease ?? []);
    const environment = this.#session.environments.of(task.rule).variables;
    const attempt = {
      root: this.#session.root,
      log,
      devices,
      leases,
      cpus: grant.cpu,
      env: taskEnvironment(devices, grant.cpu, task.env, environment),
      scratch,
      timeout: task.rule.timeout,
      grace: task.rule.grace,
      signal,
    };
    return this.#executor.run(task, recipe, staging, attempt, reports);
  }

  #scratch({ task, key }: TaskRun): string | null {
    return task.rule.resume ? join(this.#session.root, SCRATCH, key) : null;
  }
}

/** @throws the error itself if it is not a `UserError` */
function failureOf(error: unknown): Failed {
  const told = userErrorOf(error);
  if (told === undefined) throw error;
  return { kind: "failed", error: told.message };
}

function note(logFile: string, text: string): void {
  const log = new TaskLog(logFile);
  log.write(`[lq: ${text}]\n`);
  log.close();
}

function sharesDevice({ devices }: Grant): boolean {
  return devices.some(({ memory }) => memory !== null);
}
