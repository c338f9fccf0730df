/** Runs one task to its end: attempts, the check of what they left, the record. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { userErrorOf } from "../errors.ts";
import type { AttemptResult } from "../execute/attempt.ts";
import { taskEnvironment } from "../execute/environment.ts";
import type { Executor } from "../execute/execute.ts";
import { logPath } from "../execute/log-path.ts";
import { sizeOf, tailOf, TaskLog, textFrom } from "../execute/log.ts";
import { RUN } from "../execute/process-tree.ts";
import { StagingArea, type Staging } from "../execute/staging.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Task } from "../model.ts";
import { SCRATCH, STAGING } from "../record/layout.ts";
import type { Recorder } from "../record/record.ts";
import type { Event } from "../report/events.ts";
import type { Grant } from "../schedule/slots.ts";
import type { Session } from "./session.ts";

export interface Run {
  readonly task: Task;
  readonly key: string;
  readonly recipe: Recipe;
  readonly grant: Grant;
  /** That were made before, the last of which turned out crowded. */
  readonly attempts: number;
  readonly signal: AbortSignal;
}

export type RunResult =
  | { readonly kind: "ran" | "cancelled" }
  /** Its share of a device's memory did not suffice: to be run again with the whole device. */
  | { readonly kind: "crowded"; readonly attempts: number }
  /** Inputs changed while it ran: what it made is thrown away. */
  | { readonly kind: "moved"; readonly paths: readonly string[] }
  | { readonly kind: "failed"; readonly error: string; readonly tail: readonly string[] };

export class TaskRunner {
  readonly #session: Session;
  readonly #executor: Executor;
  readonly #recorder: Recorder;
  readonly #staging: StagingArea;

  constructor(session: Session, executor: Executor, recorder: Recorder) {
    this.#session = session;
    this.#executor = executor;
    this.#recorder = recorder;
    this.#staging = new StagingArea(join(session.root, STAGING, RUN));
  }

  /**
   * @param emit told of progress and of attempts that are to follow
   * @returns how it ended; "failed" is on record then
   */
  async run(run: Run, emit: (event: Event) => void): Promise<RunResult> {
    const { task, key, grant, attempts } = run;
    const log = logPath(task);
    const logFile = join(this.#session.root, log);
    if (attempts === 0 && sizeOf(logFile) > 0) rmSync(logFile);
    // The crowded attempt is none of the retries.
    const most = task.rule.retries + (attempts === 0 ? 1 : 2);
    const started = performance.now();
    for (let attempt = attempts + 1; ; attempt++) {
      const printed = attempt === 1 ? 0 : sizeOf(logFile);
      const result = await this.#attempt(run, log, emit);
      if (result.kind === "done") return { kind: "ran" };
      if (result.kind !== "failed") return result;
      const { error } = result;
      const next = { type: "retry", task: task.id, attempt: attempt + 1, error } as const;
      const wholeDevice = sharesDevice(grant) && task.rule.oom?.test(textFrom(logFile, printed)) === true;
      if (wholeDevice || attempt < most) {
        note(logFile, `attempt ${attempt} failed: ${error}`);
        emit({ ...next, wholeDevice });
        if (wholeDevice) return { kind: "crowded", attempts: attempt };
        continue;
      }
      const seconds = (performance.now() - started) / 1000;
      this.#session.state.recordFailed({ id: task.id, key, seconds, finished: Date.now(), log, error });
      return { kind: "failed", error, tail: tailOf(logFile, error) };
    }
  }

  async #attempt(
    run: Run,
    log: string,
    emit: (event: Event) => void,
  ): Promise<AttemptResult | Exclude<RunResult, { kind: "crowded" }>> {
    const { task, key, recipe } = run;
    const { root, fingerprinter } = this.#session;
    const scratch = task.rule.resume ? join(root, SCRATCH, key) : null;
    if (scratch !== null) mkdirSync(scratch, { recursive: true });
    const staging = this.#staging.take(task.outputs);
    const started = performance.now();
    try {
      const result = await this.#execute(run, staging, scratch, join(root, log), (fraction, note) =>
        emit({ type: "progress", task: task.id, fraction, ...(note === undefined ? {} : { note }) }),
      );
      if (result.kind !== "done") return result;
      const lack = staging.lack(task.outputs);
      if (lack !== null) return { kind: "failed", error: lack };
      const moved = fingerprinter.moved(recipe);
      if (moved.length > 0) return { kind: "moved", paths: moved };
      const seconds = (performance.now() - started) / 1000;
      await this.#recorder.recordRun({
        task,
        key,
        recipe,
        staged: staging.paths,
        seconds,
        log,
        trusted: true,
      });
      if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
      return result;
    } catch (error) {
      const told = userErrorOf(error);
      if (told === undefined) throw error;
      return { kind: "failed", error: told.message };
    } finally {
      this.#staging.give(staging);
    }
  }

  #execute(
    { task, recipe, grant, signal }: Run,
    staging: Staging,
    scratch: string | null,
    log: string,
    progress: (fraction: number, note?: string) => void,
  ): Promise<AttemptResult> {
    const devices = grant.devices.map(({ device }) => device.id);
    const leases = grant.devices.flatMap(({ lease }) => lease ?? []);
    const attempt = {
      root: this.#session.root,
      log,
      devices,
      leases,
      cpus: grant.cpu,
      env: taskEnvironment(devices, grant.cpu, task.env),
      scratch,
      timeout: task.rule.timeout,
      grace: task.rule.grace,
      signal,
    };
    return this.#executor.run(task, recipe, staging, attempt, progress);
  }
}

function note(logFile: string, text: string): void {
  const log = new TaskLog(logFile);
  log.write(`[lq: ${text}]\n`);
  log.close();
}

function sharesDevice({ devices }: Grant): boolean {
  return devices.some(({ memory }) => memory !== null);
}
