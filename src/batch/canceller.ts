/** Ends jobs that the build no longer wants: one call for all, and one id for a whole array. */
import type { Element, Ticket } from "./board.ts";
import type { Driver } from "./driver.ts";

/** Milliseconds that the build waits for the end of jobs that it has cancelled. */
const PATIENCE = 15_000;

export class Canceller {
  readonly #driver: Driver;
  readonly #asked = new Set<Element>();
  #until = Infinity;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Whether the build waits for the end of jobs. */
  get busy(): boolean {
    return this.#until < Infinity;
  }

  /** The build is to end now: the task's job too. */
  cancel(ticket: Ticket): void {
    const { board } = this.#driver;
    if (ticket.element === null) {
      board.waiting.delete(ticket);
      ticket.settle({ kind: "cancelled" });
      return;
    }
    ticket.cancelling = true;
    // Nobody has to wait for the end of a task that has not started.
    if (this.#claims(ticket)) ticket.settle({ kind: "cancelled" });
  }

  /** The task does not start any more; if it runs, it goes on. */
  skip(ticket: Ticket): void {
    const { board } = this.#driver;
    if (ticket.element !== null && (ticket.started || !this.#claims(ticket))) return;
    board.waiting.delete(ticket);
    ticket.cancelling = true;
    ticket.settle({ kind: "skipped" });
  }

  /** Nobody wants the task of an earlier build. */
  withdraw(ticket: Ticket): void {
    ticket.cancelling = true;
    if (this.#claims(ticket)) ticket.settle({ kind: "cancelled" });
    this.#driver.wake();
  }

  /** @returns milliseconds until it has something to do again */
  async work(): Promise<number> {
    const { board, system, away } = this.#driver;
    const unwanted = board.live.filter((element) => !this.#asked.has(element) && isUnwanted(element));
    if (unwanted.length > 0) {
      if (!(await system.cancel(idsOf(unwanted)))) return away("scancel failed");
      for (const element of unwanted) {
        this.#asked.add(element);
        // None of its tasks runs, so nobody waits for its end.
        if (element.left.length === 0) element.over = true;
      }
    }
    const waits = board.live.some(
      (element) => this.#asked.has(element) && element.left.some(({ wanted }) => wanted),
    );
    if (!waits) {
      this.#until = Infinity;
      return Infinity;
    }
    if (this.#until === Infinity) this.#until = performance.now() + PATIENCE;
    if (performance.now() < this.#until) return this.#until - performance.now();
    for (const element of this.#asked)
      for (const ticket of element.left) ticket.settle({ kind: "cancelled" });
    return Infinity;
  }

  /** Keeps every job from starting the task. @returns whether none has started it */
  #claims(ticket: Ticket): boolean {
    return this.#driver.folder.claim(ticket.id, { job: "driver", restart: 0, node: "" }) === null;
  }
}

/** Whether no task of the job is wanted; something of it may still run. */
function isUnwanted({ tickets, left, batch }: Element): boolean {
  if (batch.id === null) return false;
  const given = tickets.filter(({ done, cancelling }) => done || cancelling);
  return given.length === tickets.length && (left.length > 0 || tickets.some(({ cancelling }) => cancelling));
}

/** The id of a submission whose jobs all end, else the ids of its jobs. */
function idsOf(elements: readonly Element[]): readonly string[] {
  const batches = new Set(elements.map(({ batch }) => batch));
  return [...batches].flatMap((batch) => {
    const live = batch.elements.filter(({ over }) => !over);
    const own = elements.filter((element) => element.batch === batch);
    return own.length === live.length ? [batch.id ?? ""] : own.map(({ job }) => job);
  });
}
