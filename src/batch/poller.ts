/** Asks the batch system, rarely, whether jobs died, and decides what becomes of their tasks. */
import type { Element, Ticket } from "./board.ts";
import type { Collector } from "./collector.ts";
import type { Driver } from "./driver.ts";
import { fateOf } from "./fate.ts";
import { lostTask } from "./lost-task.ts";
import type { JobEnd, JobState } from "./system.ts";

/** Milliseconds from the first submission to the first question. */
const FIRST = 2000;
/** The same while jobs are being cancelled. */
const SOON = 500;
/** A job is dead when so many questions in a row, and a look at the results, did not show it. */
const UNSEEN = 2;

export class Poller {
  readonly #driver: Driver;
  readonly #collector: Collector;
  #next = Infinity;
  #pause = FIRST;

  constructor(driver: Driver, collector: Collector) {
    this.#driver = driver;
    this.#collector = collector;
  }

  /** @param soon whether somebody waits for the end of jobs. @returns milliseconds until the next question */
  async work(soon: boolean): Promise<number> {
    const { board, poll } = this.#driver;
    const now = performance.now();
    if (board.live.every(({ batch }) => batch.id === null)) {
      this.#next = Infinity;
      this.#pause = FIRST;
      return Infinity;
    }
    if (this.#next === Infinity) this.#next = now + this.#pause;
    if (soon) this.#next = Math.min(this.#next, now + SOON);
    if (this.#next > now) return this.#next - now;
    const pause = (await this.poll()) ?? this.#pause;
    this.#pause = Math.min(Math.max(FIRST, poll * 1000), this.#pause * 2);
    this.#next = performance.now() + (soon ? SOON : pause);
    return this.#next - performance.now();
  }

  /** @returns milliseconds until the next try if the system does not answer */
  async poll(): Promise<number | null> {
    const { board, system, away } = this.#driver;
    const states = await system.jobs();
    if (states === null) return away("no list of jobs");
    away(null);
    const names = new Map(board.batches.map((batch) => [batch.name, batch]));
    const doubles = new Set<string>();
    for (const { name, id } of states) {
      const batch = names.get(name);
      if (batch === undefined) continue;
      batch.id ??= id;
      // An answer was lost, and the name was submitted again.
      if (batch.id !== id) doubles.add(id);
    }
    if (doubles.size > 0) await system.cancel([...doubles]);
    const known = new Map(states.map((state) => [`${state.name} ${state.id} ${state.element}`, state]));
    for (const element of board.live)
      await this.#look(element, known.get(`${element.batch.name} ${element.batch.id} ${element.index}`));
    return null;
  }

  async #look(element: Element, state: JobState | undefined): Promise<void> {
    const { batch } = element;
    if (state === undefined) {
      element.unseen += 1;
      if (element.unseen < UNSEEN) return;
      this.#collector.collect(true);
      const text =
        batch.id === null ? "it was never submitted" : "the batch system does not know it any more";
      this.#dead(element, { cause: "other", text, node: element.node });
      return;
    }
    element.unseen = 0;
    if (state.phase !== "over") {
      element.phase = state.phase;
      element.reason = state.phase === "queued" ? state.reason : "";
      return;
    }
    this.#collector.collect(true);
    if (element.left.length === 0) return;
    const end = await this.#driver.system.end(state);
    if (end !== null) this.#dead(element, end);
  }

  #dead(element: Element, end: JobEnd): void {
    element.over = true;
    // What finished shows that the job could run: what it did not reach is just submitted again.
    const worked = element.tickets.some(({ done }) => done);
    for (const ticket of element.left) this.#decide(ticket, element, end, worked);
    this.#driver.wake();
  }

  #decide(ticket: Ticket, { job }: Element, end: JobEnd, worked: boolean): void {
    const { folder, board } = this.#driver;
    if (ticket.cancelling) return ticket.settle({ kind: "cancelled" });
    if (ticket.wanted === null) {
      ticket.done = true;
      return;
    }
    const claim = folder.claimOf(ticket.id);
    if (claim?.kind === "taken" && claim.by.job !== job) {
      const other = board.live.find((each) => each.job === claim.by.job);
      if (other !== undefined) {
        ticket.element = other;
        return;
      }
    }
    if (claim === null && worked && end.cause === "other") return this.#collector.again(ticket);
    const fate = fateOf(end, lostTask(this.#driver, ticket, end.cause));
    if (fate.kind === "failed") {
      this.#collector.fail(ticket, fate.error, 0, { job, node: end.node });
      return;
    }
    if (fate.avoid !== undefined) ticket.avoid.add(fate.avoid);
    ticket.memory = fate.memory ?? ticket.memory;
    this.#collector.again(ticket);
  }
}
