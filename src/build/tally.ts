/** Counts outcomes, and tells the listener of each. */
import type { Outcome, Reason, Task } from "../model.ts";
import type { Event, Listener } from "../report/events.ts";
import type { Summary } from "./request.ts";

export interface Finished {
  readonly task: Task;
  readonly outcome: Outcome;
  readonly reasons?: readonly Reason[];
  readonly seconds?: number;
  readonly key?: string;
  readonly error?: string;
  readonly tail?: readonly string[];
  readonly log?: string;
}

/** How many tasks that are fresh cost as much as one that is run or restored. */
const MUCH = 20;

export class Tally {
  readonly #listener: Listener;
  readonly #started = performance.now();
  readonly #counts = { ran: 0, restored: 0, fresh: 0, failed: 0, skipped: 0, cancelled: 0 };
  #planned = -1;

  constructor(listener: Listener = () => undefined) {
    this.#listener = listener;
  }

  readonly emit = (event: Event): void => this.#listener(event);

  notice(text: string, level: "info" | "warning" = "info"): void {
    this.#listener({ type: "notice", level, text });
  }

  plan(tasks: ReadonlySet<Task>): void {
    if (tasks.size === this.#planned) return;
    this.#planned = tasks.size;
    const rules: { [rule: string]: number } = {};
    for (const { rule } of tasks) rules[rule.name] = (rules[rule.name] ?? 0) + 1;
    this.#listener({ type: "plan", tasks: tasks.size, rules });
  }

  finish({ task, outcome, reasons = [], seconds = 0, ...more }: Finished): void {
    this.#counts[outcome] += 1;
    this.#listener({ type: "task", task: task.id, outcome, reasons, seconds, ...more });
  }

  /** Whether outputs were put in place. */
  get worked(): boolean {
    return this.#counts.ran + this.#counts.restored > 0;
  }

  get failed(): boolean {
    return this.#counts.failed > 0;
  }

  /** Whether enough was done, and all of it well, that one more look at everything costs little beside it. */
  get hasWorked(): boolean {
    const { ran, restored, fresh, failed, skipped, cancelled } = this.#counts;
    return failed + skipped + cancelled === 0 && ran + restored > fresh / MUCH;
  }

  summary(): Summary {
    const summary = { ...this.#counts, seconds: (performance.now() - this.#started) / 1000 };
    const { ran, restored, fresh, failed, skipped, seconds } = summary;
    this.#listener({ type: "summary", ran, restored, fresh, failed, skipped, seconds });
    return summary;
  }
}
