/** Makes the outputs of a task in a staging folder: attempts, until one succeeds or none is left. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Environments } from "../environment/environments.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import { userErrorOf } from "../model/errors.ts";
import { SCRATCH } from "../model/layout.ts";
import type { Task } from "../model/model.ts";
import type { AttemptResult, DeviceLease } from "./attempt.ts";
import { taskEnvironment } from "./environment.ts";
import type { Executor } from "./execute.ts";
import { logPath, metricsPath } from "./log-path.ts";
import { sizeOf, TaskLog, textFrom } from "./log.ts";
import type { Staging } from "./staging.ts";
import { TaskReports, type TaskEvent } from "./task-reports.ts";
import type { Failed, Unfinished } from "./task-run.ts";

export interface MakeRequest {
  readonly task: Task;
  readonly key: string;
  readonly recipe: Recipe;
  readonly cpus: number;
  readonly devices: readonly string[];
  /** The devices' leases. */
  readonly leases: readonly DeviceLease[];
  /** Whether the task has only a part of a device. */
  readonly sharesDevice: boolean;
  /** Attempts before this one; the last of them ran out of device memory. */
  readonly attempts: number;
  readonly signal: AbortSignal;
}

export type Made = Unfinished | Failed | { readonly kind: "made"; readonly seconds: number };

export interface MakerParts {
  readonly root: string;
  readonly executor: Executor;
  readonly environments: Environments;
  /** The inputs that differ at this moment from what the recipe says. */
  readonly changedInputs: (recipe: Recipe) => Promise<readonly string[]>;
}

export class OutputMaker {
  readonly #parts: MakerParts;

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  /**
   * @param staging prepared for the task's outputs
   * @param emit gets events of progress and of each next attempt
   */
  async make(request: MakeRequest, staging: Staging, emit: (event: TaskEvent) => void): Promise<Made> {
    const { task, attempts, sharesDevice } = request;
    const logFile = join(this.#parts.root, logPath(task));
    if (attempts === 0 && sizeOf(logFile) > 0) rmSync(logFile);
    // An attempt that ran out of device memory does not count as a retry.
    const most = task.rule.retries + (attempts === 0 ? 1 : 2);
    for (let attempt = attempts + 1; ; attempt++) {
      const printed = attempt === 1 ? 0 : sizeOf(logFile);
      const result = await this.#attempt(request, staging, logFile, emit);
      if (result.kind !== "failed") return result;
      const { error } = result;
      const next = { type: "retry", task: task.id, attempt: attempt + 1, error } as const;
      const wholeDevice = sharesDevice && task.rule.oom?.test(textFrom(logFile, printed)) === true;
      if (!wholeDevice && attempt >= most) return result;
      note(logFile, `attempt ${attempt} failed: ${error}`);
      emit({ ...next, wholeDevice });
      if (wholeDevice) return { kind: "out-of-device-memory", attempts: attempt };
      staging.prepare(task.outputs);
    }
  }

  async #attempt(
    request: MakeRequest,
    staging: Staging,
    logFile: string,
    emit: (event: TaskEvent) => void,
  ): Promise<Exclude<Made, { kind: "out-of-device-memory" }>> {
    const { task, recipe } = request;
    const started = performance.now();
    const scratch = scratchOf(this.#parts.root, request);
    const resumes = scratch !== null && existsSync(scratch);
    const reports = new TaskReports(task.id, metricsPath(logFile), resumes, emit);
    try {
      const result = await this.#execute(request, staging, logFile, reports);
      reports.close();
      if (result.kind !== "done") return result;
      const missing = staging.missingOutput(task.outputs);
      if (missing !== null) return { kind: "failed", error: missing };
      const changed = await this.#parts.changedInputs(recipe);
      if (changed.length > 0) return { kind: "inputs-changed", paths: changed };
      return { kind: "made", seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      return failureOf(error);
    }
  }

  #execute(
    request: MakeRequest,
    staging: Staging,
    log: string,
    reports: TaskReports,
  ): Promise<AttemptResult> {
    const { root, environments, executor } = this.#parts;
    const { task, recipe, devices, leases, cpus, signal } = request;
    const scratch = scratchOf(root, request);
    if (scratch !== null) mkdirSync(scratch, { recursive: true });
    const attempt = {
      ...{ root, log, devices, leases, cpus, scratch, signal },
      env: taskEnvironment(devices, cpus, task.env, environments.of(task.rule).variables),
      timeout: task.rule.timeout,
      grace: task.rule.grace,
    };
    return executor.run(task, recipe, staging, attempt, reports);
  }
}

/** Absolute path of the scratch folder of a key; null if the task has none. */
export function scratchOf(root: string, { task, key }: Pick<MakeRequest, "task" | "key">): string | null {
  return task.rule.resume ? join(root, SCRATCH, key) : null;
}

/** @throws the error itself if it is not a `UserError` */
export function failureOf(error: unknown): Failed {
  const told = userErrorOf(error);
  if (told === undefined) throw error;
  return { kind: "failed", error: told.message };
}

function note(logFile: string, text: string): void {
  const log = new TaskLog(logFile);
  log.write(`[lq: ${text}]\n`);
  log.close();
}
