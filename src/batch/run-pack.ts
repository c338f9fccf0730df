/**
 * Runs the tasks of a pack on a node. Each result counts as soon as its file is there, so a job that dies loses only the
 * task that it was running.
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Preempted } from "../execute/attempt.ts";
import { Executor } from "../execute/execute.ts";
import { failureOf, OutputMaker, scratchOf, type Made } from "../execute/make-outputs.ts";
import { WorkerPool } from "../execute/pool.ts";
import { Staging } from "../execute/staging.ts";
import { Environments } from "../environment/environments.ts";
import { remove } from "../files/remove.ts";
import { storeRun } from "../record/store-run.ts";
import { openStore } from "../session/open-store.ts";
import type { Store } from "../store/store.ts";
import { InputCheck } from "./input-check.ts";
import { EventWriter } from "./job-events.ts";
import { JobsFolder, type Claimant } from "./jobs-folder.ts";
import { killedForMemory } from "./memory.ts";
import { eventsFile, packFile, readPack, type Pack, type PackedTask } from "./pack.ts";
import type { TaskResult } from "./result.ts";
import { scratchStamp } from "./scratch-stamp.ts";

export async function runPack(folder: string, element: number, me: Claimant): Promise<void> {
  const pack = readPack(folder, element);
  if (pack === null) return;
  const events = new EventWriter(eventsFile(folder, element));
  const runner = new PackRunner(pack, folder, element, me, events);
  try {
    for (const packed of pack.tasks) {
      if (runner.ending || !existsSync(packFile(folder, element))) break;
      await runner.run(packed);
    }
  } finally {
    events.write({ type: "end" });
    await runner.close();
  }
}

/** Milliseconds that may lie between the signals to two processes of a job. */
const SIGNALS_APART = 1000;

type Own<K extends TaskResult["kind"]> = Omit<
  Extract<TaskResult, { kind: K }>,
  "version" | "key" | "job" | "node" | "started" | "seconds"
>;
type Outcome = Own<"ran"> | Own<"failed"> | Own<"inputs-changed"> | Own<"cut">;

class PackRunner {
  readonly #pack: Pack;
  readonly #staging: string;
  readonly #me: Claimant;
  readonly #events: EventWriter;
  readonly #jobs: JobsFolder;
  readonly #store: Store;
  readonly #pool: WorkerPool;
  readonly #executor: Executor;
  readonly #inputs: InputCheck;
  readonly #maker: OutputMaker;
  /** Ends the task that runs now. */
  readonly #controller = new AbortController();
  #runs: PackedTask | null = null;
  /** Whether no further task starts. */
  ending = false;

  constructor(pack: Pack, folder: string, element: number, me: Claimant, events: EventWriter) {
    const { root, cache, bundle } = pack;
    this.#pack = pack;
    this.#staging = join(folder, "staging", String(element));
    this.#me = me;
    this.#events = events;
    this.#jobs = new JobsFolder(root);
    this.#store = openStore({ root, cache }, (text) => console.log(text));
    this.#pool = new WorkerPool(root, 1);
    const environments = new Environments(root, process.env);
    const code = { bundle: () => Promise.resolve(bundle ?? "") };
    this.#executor = new Executor(root, code, environments, this.#pool);
    this.#inputs = new InputCheck(pack);
    const changedInputs = this.#inputs.changed;
    this.#maker = new OutputMaker({ root, executor: this.#executor, environments, changedInputs });
    // The warning that the time of the job will soon be up. Only a task that can save has to end for it.
    process.on("SIGUSR1", () => this.#end(this.#runs?.task.rule.resume === true ? new TimeIsUp() : null));
    // The job ends now, for any reason.
    process.on("SIGTERM", () => this.#end(new Preempted("SIGTERM")));
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#executor.close()]);
  }

  async run(packed: PackedTask): Promise<void> {
    const { ticket, key, task } = packed;
    if (this.#jobs.result(ticket) !== null || this.#jobs.claim(ticket, this.#me) !== null) return;
    this.#runs = packed;
    const { job, node } = this.#me;
    const devices = this.#devices();
    const started = Date.now();
    const began = performance.now();
    this.#events.write({ type: "started", ticket, node, devices });
    const outcome = await this.#outcome(packed, devices);
    this.#runs = null;
    if (outcome === null) return;
    const seconds = outcome.kind === "ran" ? outcome.seconds : (performance.now() - began) / 1000;
    if (outcome.kind === "ran") {
      const scratch = scratchOf(this.#pack.root, { task, key });
      if (scratch !== null) remove(scratch);
    }
    this.#jobs.putResult(ticket, { version: 1, key, job, node, started, ...outcome, seconds });
  }

  /** Null: the job is being ended, and the batch system knows why. */
  async #outcome(
    packed: PackedTask,
    devices: readonly string[],
  ): Promise<(Outcome & { seconds: number }) | null> {
    const { ticket, task, key, recipe } = packed;
    const { root, cpus } = this.#pack;
    const staging = new Staging(join(this.#staging, ticket));
    const scratch = scratchOf(root, packed);
    const before = scratchStamp(scratch);
    const { signal } = this.#controller;
    let made: Made;
    try {
      const changed = await this.#inputs.changed(recipe);
      if (changed.length > 0) return { kind: "inputs-changed", paths: changed, seconds: 0 };
      staging.prepare(task.outputs);
      const request = {
        ...{ task, key, recipe, cpus, devices, signal },
        ...{ leases: [], sharesDevice: false, attempts: 0 },
      };
      made = await this.#maker.make(request, staging, (event) =>
        this.#events.write({ type: "task", ticket, event }),
      );
      if (made.kind === "made") {
        const { seconds } = made;
        const { outputs, finished } = await storeRun(this.#store, { key, recipe, seconds }, staging.paths);
        const staged = staging.paths.map(
          (path) => relative(this.#jobs.path, path) + (path.endsWith("/") ? "/" : ""),
        );
        return { kind: "ran", outputs, staged, finished, seconds };
      }
    } catch (error) {
      made = failureOf(error);
    }
    remove(join(this.#staging, ticket));
    if (made.kind === "inputs-changed") return { kind: "inputs-changed", paths: [...made.paths], seconds: 0 };
    if (made.kind === "failed" && (signal.aborted || !(await endsSoon(signal))))
      return { kind: "failed", error: made.error, memory: killedForMemory(made.error), seconds: 0 };
    if (signal.reason instanceof TimeIsUp)
      return { kind: "cut", saved: scratchStamp(scratch) !== before, seconds: 0 };
    return null;
  }

  /** The devices that the batch system gave to the job. */
  #devices(): readonly string[] {
    const { CUDA_VISIBLE_DEVICES: given = "" } = process.env;
    return this.#pack.devices ? given.split(",").filter((id) => id !== "") : [];
  }

  #end(reason: Preempted | null): void {
    this.ending = true;
    if (reason !== null) this.#controller.abort(reason);
  }
}

/**
 * Whether the job is being ended. The system sends its signal to all processes of a job: the program of a task may end by
 * it a moment before lq learns of it, and must not count as failed.
 */
async function endsSoon(signal: AbortSignal): Promise<boolean> {
  return setTimeout(SIGNALS_APART, false, { signal }).catch(() => true);
}

/** The reason of an abort after the system's warning. Resumable tasks get time to save. */
class TimeIsUp extends Preempted {}
