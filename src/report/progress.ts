/**
 * Computes the progress of a build from its events: counts by rule, running tasks, and an estimate of the time left.
 */
import type { HashProgress } from "../files/hash-many.ts";
import { ruleOf } from "../model/task-id.ts";
import { noCounts, totalOf } from "../model/counts.ts";
import type { Event, UploadProgress } from "./events.ts";

export interface RunningTask {
  readonly id: string;
  /** When it started, in milliseconds on the clock of `Progress`. */
  readonly since: number;
  /** Ids of its devices. */
  readonly devices: readonly string[];
  fraction: number;
  note: string;
  /** Its last metrics, "loss 0.812, dice 0.9". */
  numbers: string;
}

export class RuleProgress {
  total = 0;
  readonly counts = noCounts();
  readonly running = new Map<string, RunningTask>();
  /** Tasks that wait in the queue of a batch system. */
  readonly queued = new Set<string>();
  /** Total seconds of the tasks that ran in this build. */
  seconds = 0;
  /** Mean seconds of this rule's tasks in earlier builds. */
  expected: number | undefined;

  get done(): number {
    return totalOf(this.counts);
  }
}

export class Progress {
  readonly rules = new Map<string, RuleProgress>();
  /** Progress of hashing the sources; null if lq hashes none now. */
  hashing: HashProgress | null = null;
  /** Progress of sending the rest to the remote cache when all tasks have ended; else null. */
  uploading: UploadProgress | null = null;
  /** What tasks wait for outside this build. */
  waiting: readonly string[] = [];
  readonly #clock: () => number;
  /** When the first task started. */
  #since: number | undefined;

  /**
   * @param clock milliseconds
   * @param since when the build started; by default, the start of its first task
   */
  constructor(clock: () => number = () => performance.now(), since?: number) {
    this.#clock = clock;
    this.#since = since;
  }

  apply(event: Event): void {
    switch (event.type) {
      case "plan":
        for (const [rule, total] of Object.entries(event.rules)) this.rule(rule).total = total;
        for (const [rule, seconds] of Object.entries(event.expected ?? {}))
          this.rule(rule).expected = seconds;
        return;
      case "hash":
        this.hashing = event.bytes < event.total ? event : null;
        return;
      case "queued":
        this.rule(ruleOf(event.task)).queued.add(event.task);
        return;
      case "start": {
        this.rule(ruleOf(event.task)).queued.delete(event.task);
        const since = this.#clock();
        this.#since ??= since;
        this.rule(ruleOf(event.task)).running.set(event.task, {
          id: event.task,
          since,
          devices: event.devices,
          fraction: 0,
          note: "",
          numbers: "",
        });
        return;
      }
      case "progress": {
        const task = this.rule(ruleOf(event.task)).running.get(event.task);
        if (task) Object.assign(task, { fraction: event.fraction, note: event.note ?? task.note });
        return;
      }
      case "metrics": {
        const task = this.rule(ruleOf(event.task)).running.get(event.task);
        if (task) task.numbers = numbersText(event.values);
        return;
      }
      case "task": {
        const rule = this.rule(ruleOf(event.task));
        rule.running.delete(event.task);
        rule.queued.delete(event.task);
        rule.counts[event.outcome] += 1;
        if (event.outcome === "ran") rule.seconds += event.seconds;
        return;
      }
      case "retry":
        // The task waits until it gets the whole device, and then starts again.
        if (event.wholeDevice) this.rule(ruleOf(event.task)).running.delete(event.task);
        return;
      case "waiting":
        this.waiting = event.for;
        return;
      case "upload":
        this.uploading = event.left > 0 ? event : null;
        return;
      case "notice":
      case "summary":
        return;
    }
  }

  get total(): number {
    return this.#sum((rule) => rule.total);
  }

  get done(): number {
    return this.#sum((rule) => rule.done);
  }

  get running(): readonly RunningTask[] {
    return [...this.rules.values()].flatMap((rule) => [...rule.running.values()]);
  }

  elapsed(task: RunningTask): number {
    return (this.#clock() - task.since) / 1000;
  }

  /**
   * Estimated seconds until the build ends: the work that is left, divided by the mean number of tasks that have run at
   * the same time. A task counts with the mean of its rule, and a running task with its own progress. Null while
   * nothing is known.
   */
  secondsLeft(): number | null {
    const means = [...this.rules.values()]
      .map((rule) => meanSeconds(rule))
      .filter((mean) => mean !== undefined);
    if (means.length === 0 || this.#since === undefined) return null;
    const overall = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    const elapsed = (this.#clock() - this.#since) / 1000;
    let left = 0;
    let spent = 0;
    for (const rule of this.rules.values()) {
      const mean = meanSeconds(rule) ?? overall;
      const running = [...rule.running.values()];
      left += (rule.total - rule.done - running.length) * mean;
      left += running.reduce((sum, task) => sum + this.#taskLeft(task, mean), 0);
      spent += rule.seconds + running.reduce((sum, task) => sum + this.elapsed(task), 0);
    }
    return left / Math.max(1, elapsed === 0 ? 1 : spent / elapsed);
  }

  rule(name: string): RuleProgress {
    let rule = this.rules.get(name);
    if (rule === undefined) this.rules.set(name, (rule = new RuleProgress()));
    return rule;
  }

  #taskLeft(task: RunningTask, mean: number): number {
    const elapsed = this.elapsed(task);
    return task.fraction > 0 ? (elapsed * (1 - task.fraction)) / task.fraction : Math.max(0, mean - elapsed);
  }

  #sum(of: (rule: RuleProgress) => number): number {
    return [...this.rules.values()].reduce((sum, rule) => sum + of(rule), 0);
  }
}

function meanSeconds({ counts, seconds, expected }: RuleProgress): number | undefined {
  return counts.ran > 0 ? seconds / counts.ran : expected;
}

function numbersText(values: { readonly [name: string]: number }): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`)
    .join(", ");
}
