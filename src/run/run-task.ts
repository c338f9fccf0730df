/** Runs one task on this machine to its end: makes its outputs, and records the result. */
import { join } from "node:path";
import type { Executor } from "../execute/execute.ts";
import { logPath } from "../execute/log-path.ts";
import { printed } from "../execute/log.ts";
import { failureOf, OutputMaker, scratchOf } from "../execute/make-outputs.ts";
import { StagingArea, type Staging } from "../execute/staging.ts";
import type { TaskEvent } from "../execute/task-reports.ts";
import type { Failed, RunResult, TaskRun, TaskRunner } from "../execute/task-run.ts";
import { remove } from "../files/remove.ts";
import { commandField } from "../fingerprint/render-command.ts";
import { STAGING } from "../model/layout.ts";
import type { Recorder } from "../record/record.ts";
import type { Session } from "../session/session.ts";
import { RUN } from "../system/process-tree.ts";

/** At most this many tasks hash and store their outputs while other tasks use their slots. */
const MOST_RECORDING = 4;

export class LocalRunner implements TaskRunner {
  readonly #session: Session;
  readonly #maker: OutputMaker;
  readonly #recorder: Recorder;
  readonly #staging: StagingArea;
  #recording = 0;

  constructor(session: Session, executor: Executor, recorder: Recorder) {
    const { root, environments, fingerprinter } = session;
    this.#session = session;
    this.#maker = new OutputMaker({
      ...{ root, executor, environments },
      changedInputs: (recipe) => fingerprinter.changedInputs(recipe),
    });
    this.#recorder = recorder;
    this.#staging = new StagingArea(join(root, STAGING, RUN));
  }

  async run(run: TaskRun, emit: (event: TaskEvent) => void): Promise<RunResult> {
    const { task, key, recipe, reasons, grant, attempts, signal } = run;
    const devices = grant.devices.map(({ device }) => device.id);
    emit({ type: "start", task: task.id, reasons, devices, ...commandField(task) });
    const started = performance.now();
    const staging = this.#staging.take(task.outputs);
    try {
      const request = {
        ...{ task, key, recipe, attempts, signal, devices, cpus: grant.cpu },
        leases: grant.devices.flatMap(({ lease }) => lease ?? []),
        sharesDevice: grant.devices.some(({ memory }) => memory !== null),
      };
      const made = await this.#maker.make(request, staging, emit);
      const result = made.kind === "made" ? await this.#record(run, staging, made.seconds) : made;
      if (result.kind !== "failed") return result;
      const { error } = result;
      const log = logPath(task);
      const seconds = (performance.now() - started) / 1000;
      this.#session.state.recordFailed({ id: task.id, key, seconds, finished: Date.now(), log, error });
      return { ...result, ...printed(this.#session.root, log, error) };
    } finally {
      this.#staging.give(staging);
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
      const scratch = scratchOf(this.#session.root, run);
      if (scratch !== null) remove(scratch);
      return { kind: "ran" };
    } catch (error) {
      return failureOf(error);
    } finally {
      this.#recording -= 1;
    }
  }
}
