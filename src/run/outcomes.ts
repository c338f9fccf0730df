/** Counts outcomes, and sends an event for each to the listeners. */
import type { JobFacts } from "../execute/task-run.ts";
import type { HashProgress } from "../files/hash-many.ts";
import { noCounts, type Outcome } from "../model/counts.ts";
import type { Reason } from "../model/freshness.ts";
import type { Task } from "../model/model.ts";
import { meanSeconds } from "../plan/durations.ts";
import type { State } from "../state/state.ts";
import type { Event, Listener } from "../report/events.ts";
import type { Summary } from "./request.ts";

export interface Finished extends JobFacts {
  readonly task: Task;
  readonly outcome: Outcome;
  readonly reasons?: readonly Reason[];
  readonly command?: string;
  readonly error?: string;
  readonly tail?: readonly string[];
  readonly log?: string;
}

/** Results of tasks that went to the remote cache, and that came from there. */
type Transfers = Pick<Summary, "uploaded" | "downloaded">;

export class Outcomes {
  readonly #listeners: Listener[];
  readonly #started = performance.now();
  readonly #counts = noCounts();
  #removed = 0;
  #transfers: Transfers = { uploaded: 0, downloaded: 0 };
  #planned = -1;

  constructor(listener: Listener = () => undefined) {
    this.#listeners = [listener];
  }

  /** Adds a listener. It gets the events from now on. */
  tellAlso(listener: Listener): void {
    this.#listeners.push(listener);
  }

  readonly emit = (event: Event): void => {
    for (const listener of this.#listeners) listener(event);
  };

  notice(text: string, level: "info" | "warning" = "info"): void {
    this.emit({ type: "notice", level, text });
  }

  readonly hashing = (progress: HashProgress): void => this.emit({ type: "hash", ...progress });

  /** @param state knows how long tasks took before */
  plan(tasks: ReadonlySet<Task>, state: Pick<State, "seconds">): void {
    if (tasks.size === this.#planned) return;
    this.#planned = tasks.size;
    const rules = new Map<string, number>();
    for (const { rule } of tasks) rules.set(rule.name, (rules.get(rule.name) ?? 0) + 1);
    this.emit({
      type: "plan",
      tasks: tasks.size,
      rules: Object.fromEntries(rules),
      expected: Object.fromEntries(meanSeconds(state, tasks)),
    });
  }

  finish({ task, outcome, reasons = [], seconds = 0, ...failure }: Finished): void {
    this.#counts[outcome] += 1;
    this.emit({ type: "task", task: task.id, outcome, reasons, seconds, ...failure });
  }

  /** Counts fresh tasks without an event for each. */
  alsoFresh(tasks: number): void {
    this.#counts.fresh += tasks;
  }

  /** Counts outputs that were removed because no task makes them any more. */
  remove(outputs: number): void {
    this.#removed += outputs;
  }

  /** @param transfers goes on counting while the build runs */
  countTransfers(transfers: Transfers): void {
    this.#transfers = transfers;
  }

  /** Whether outputs were put in place, or accepted for another key. */
  get worked(): boolean {
    return this.#counts.ran + this.#counts.restored + this.#counts.accepted > 0;
  }

  get failed(): boolean {
    return this.#counts.failed > 0;
  }

  get endedWell(): boolean {
    const { failed, skipped, cancelled } = this.#counts;
    return failed + skipped + cancelled === 0;
  }

  summary(): Summary {
    const { uploaded, downloaded } = this.#transfers;
    const summary = {
      ...this.#counts,
      removed: this.#removed,
      uploaded,
      downloaded,
      seconds: (performance.now() - this.#started) / 1000,
    };
    this.emit({ type: "summary", ...summary });
    return summary;
  }
}
