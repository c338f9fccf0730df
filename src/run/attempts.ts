/**
 * Runs due tasks, the most urgent first, when slots come free. If several tasks have the same key, it runs one at a
 * time. A task that ran out of its share of a device's memory runs again with the whole device. A task whose inputs
 * changed runs again.
 */
import { debug } from "../system/debug.ts";
import type { RunResult, TaskRunner } from "../execute/task-run.ts";
import { commandField } from "../fingerprint/render-command.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { SlotRequest, Task } from "../model/model.ts";
import { shortageOf } from "../schedule/capacity.ts";
import { ReadyQueue } from "../schedule/queue.ts";
import { grantText, type Grant, type Slots } from "../schedule/slots.ts";
import { wholeDevices } from "../schedule/whole-devices.ts";
import type { DueTask } from "../plan/evaluate.ts";
import type { Jobs } from "./jobs.ts";
import type { BuildControl } from "./control.ts";
import type { Finished, Outcomes } from "./outcomes.ts";
import { InFlight } from "./in-flight.ts";

/** Where tasks run: what they may use there, and who runs them. */
export interface Site {
  readonly slots: Slots;
  readonly runner: TaskRunner;
  /** The slots that a task takes here. */
  readonly slotsOf: (task: Task) => SlotRequest;
}

interface AttemptParts extends Site {
  readonly outcomes: Outcomes;
  readonly control: BuildControl;
}

interface Ends {
  /** The task ended, with any outcome. */
  ended(finished: Finished): void;
  /** The task ran, and its new outputs are in place. */
  ran(task: Task, key: string, recipe: Recipe): void;
  /** The task must be evaluated again: its inputs or its outputs have changed. */
  again(task: Task): void;
}

type Ended = Exclude<RunResult, { readonly kind: "inputs-changed" | "out-of-device-memory" }>;
type Attempted = DueTask & {
  /** How many attempts this build made before; the last of them ran out of device memory. */
  readonly attempts?: number;
};

export class Attempts {
  readonly #parts: AttemptParts;
  readonly #jobs: Jobs;
  readonly #ends: Ends;
  readonly #queue: ReadyQueue<Attempted>;
  readonly #inFlight = new InFlight();
  /** Tasks that ran while their inputs changed. */
  readonly #inputsChanged = new Set<Task>();
  /** Priorities of the tasks that are added from now on. */
  priorities: ReadonlyMap<Task, number> = new Map();

  constructor(parts: AttemptParts, jobs: Jobs, ends: Ends) {
    this.#parts = parts;
    this.#jobs = jobs;
    this.#ends = ends;
    this.#queue = new ReadyQueue(parts.slots);
  }

  add(due: DueTask): void {
    const { task, key } = due;
    if (this.#inFlight.enter(key, task)) this.#enqueue(due, this.#parts.slotsOf(task));
  }

  /** @returns whether a task was ready and its slots were free */
  startNext(): boolean {
    const next = this.#queue.next();
    if (next !== null) {
      debug.slots?.(`${next.item.task.id} gets ${grantText(next.grant)}`);
      this.#start(next.item, next.grant);
    } else if (this.#queue.size > 0)
      debug.slots?.(`ready tasks that wait for free slots: ${this.#queue.size}`);
    return next !== null;
  }

  #enqueue(due: Attempted, slots: SlotRequest): void {
    const { task, key } = due;
    // The plan did not check this task: it should have been restored, or the graph has expanded since.
    const shortage = shortageOf(slots, this.#parts.slots.capacity);
    if (shortage === null) return this.#queue.add(due, slots, this.#priorityOf(task), task.index);
    this.#ends.ended({ task, outcome: "failed", error: `it can never start: ${shortage}` });
    this.#release(key);
  }

  #priorityOf(task: Task): number {
    return this.priorities.get(task) ?? 0;
  }

  #start(due: Attempted, grant: Grant): void {
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#parts.slots.give(grant);
      this.#jobs.wake();
    };
    // Record the error first: then the slots that come free start no other task.
    const run = this.#run(due, grant, release).catch((error: unknown) => this.#jobs.fail(error));
    this.#jobs.add(run.finally(release));
  }

  async #run(due: Attempted, grant: Grant, release: () => void): Promise<void> {
    const { task, key, reasons, recipe, attempts = 0 } = due;
    const { runner, outcomes, control, slots } = this.#parts;
    const started = performance.now();
    const signal = control.enter(task.id, key);
    const priority = this.#priorityOf(task);
    const result = await runner
      .run({ task, key, recipe, reasons, grant, attempts, priority, signal, release }, outcomes.emit)
      .finally(() => control.leave(task.id));
    const seconds = (performance.now() - started) / 1000;
    if (result.kind === "out-of-device-memory") {
      this.#enqueue({ ...due, attempts: result.attempts }, wholeDevices(task.rule.slots, slots.capacity));
      return;
    }
    if (result.kind === "inputs-changed") this.#rerun(task, result.paths);
    else this.#end(due, result, seconds);
    this.#release(key);
  }

  #end({ task, key, reasons, recipe }: DueTask, result: Ended, seconds: number): void {
    const { kind: outcome, ...failure } = result;
    const command = outcome === "failed" ? commandField(task) : {};
    this.#ends.ended({ task, outcome, reasons, seconds, ...failure, ...command });
    if (result.kind === "ran") this.#ends.ran(task, key, recipe);
  }

  /** Drops the result, because the inputs changed during the run. The task runs once more with its inputs of now. */
  #rerun(task: Task, paths: readonly string[]): void {
    const what = paths.join(", ");
    if (this.#inputsChanged.has(task)) {
      const error = `${what} changed while it ran, twice: lq dropped its result`;
      return this.#ends.ended({ task, outcome: "failed", error });
    }
    this.#inputsChanged.add(task);
    this.#parts.outcomes.notice(`${what} changed while ${task.id} ran: it runs again`, "warning");
    this.#ends.again(task);
  }

  /** Lets the tasks go on that waited for another task with this key. */
  #release(key: string): void {
    // The first of them may have to run too (after a failure, or when forced). Then the others wait for it.
    for (const task of this.#inFlight.leave(key))
      if (!this.#inFlight.waits(key, task)) this.#ends.again(task);
  }
}
