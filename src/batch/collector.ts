/** Takes what jobs report: events, and results, which it records. */
import { join } from "node:path";
import { logPath } from "../execute/log-path.ts";
import { printed } from "../execute/log.ts";
import { commandField } from "../fingerprint/render-command.ts";
import { failureOf } from "../execute/make-outputs.ts";
import { remove } from "../files/remove.ts";
import type { Element, Ticket, Wanted } from "./board.ts";
import type { Driver } from "./driver.ts";
import { fateOfMemory, timeText } from "./fate.ts";
import type { JobEvent } from "./job-events.ts";
import { lostTask } from "./lost-task.ts";
import type { TaskResult } from "./result.ts";

export class Collector {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** @param fresh also results that a file server's client does not see yet. @returns whether there was something */
  collect(fresh = false): boolean {
    const { board, folder } = this.#driver;
    let found = false;
    const ended = new Set<Element>();
    for (const element of board.live)
      for (const event of element.events.read()) {
        found = true;
        if (event.type === "end") ended.add(element);
        else this.#tell(element, event);
      }
    for (const id of folder.results(fresh || ended.size > 0)) {
      const ticket = board.tickets.get(id);
      const result = ticket?.wanted == null ? null : folder.result(id);
      if (ticket?.wanted == null || result === null) continue;
      found = true;
      this.#take(ticket, ticket.wanted, result);
    }
    // Jobs of tasks that were given up are over when they have been cancelled.
    for (const element of board.live)
      if (element.left.length === 0 && !element.tickets.some(({ cancelling }) => cancelling))
        element.over = true;
    return found;
  }

  /** A build takes over a job that has the task. */
  tellAttached(ticket: Ticket): void {
    const { element, wanted, started } = ticket;
    if (element === null || wanted === null) return;
    wanted.emit({ type: "queued", task: ticket.task, job: element.job });
    if (started) this.#tellStart(ticket, wanted, element, element.node, []);
  }

  /** The task fails, with what its log and its job say. */
  fail(
    ticket: Ticket,
    error: string,
    seconds: number,
    facts: { readonly job?: string; readonly node?: string },
  ): void {
    const { session } = this.#driver;
    const { wanted, key } = ticket;
    if (wanted !== null) {
      const { task } = wanted.run;
      const log = logPath(task);
      session.state.recordFailed({ id: task.id, key, seconds, finished: Date.now(), log, error });
      ticket.settle({
        kind: "failed",
        error,
        ...printed(session.root, log, error),
        seconds,
        ...facts,
      });
    }
    ticket.done = true;
  }

  /** The task waits to be submitted again. */
  again(ticket: Ticket): void {
    ticket.element = null;
    ticket.started = false;
    this.#driver.folder.release(ticket.id);
    if (ticket.wanted !== null) this.#driver.board.waiting.add(ticket);
    else ticket.done = true;
    this.#driver.wake();
  }

  #tell(element: Element, event: Exclude<JobEvent, { type: "end" }>): void {
    const ticket = this.#driver.board.tickets.get(event.ticket);
    if (ticket === undefined || ticket.done) return;
    if (event.type === "started") {
      element.node = event.node;
      element.phase = "running";
      ticket.started = true;
      if (ticket.wanted !== null) this.#tellStart(ticket, ticket.wanted, element, event.node, event.devices);
    } else {
      const { event: own } = event;
      const facts = own.type === "retry" ? { job: element.job, node: element.node } : {};
      ticket.wanted?.emit({ ...own, ...facts });
    }
  }

  #tellStart(
    ticket: Ticket,
    { run, emit }: Wanted,
    { job }: Element,
    node: string,
    devices: readonly string[],
  ): void {
    emit({
      type: "start",
      task: ticket.task,
      reasons: run.reasons,
      devices,
      ...commandField(run.task),
      job,
      node,
    });
  }

  #take(ticket: Ticket, wanted: Wanted, result: TaskResult): void {
    const { session, folder } = this.#driver;
    const { element } = ticket;
    const { job, node, seconds, started } = result;
    if (!ticket.started && element !== null) this.#tellStart(ticket, wanted, element, node, []);
    const queued = element === null ? 0 : Math.max(0, (started - element.batch.submitted) / 1000);
    const facts = { job, node, queued, seconds };
    if (result.kind === "cut") return this.#cut(ticket, result);
    if (result.kind === "failed" && result.memory) {
      const fate = fateOfMemory(lostTask(this.#driver, ticket, "memory"));
      if (fate.kind === "failed") this.fail(ticket, fate.error, seconds, facts);
      else {
        ticket.memory = fate.memory ?? null;
        this.#again(ticket);
      }
    } else if (result.kind === "failed") this.fail(ticket, result.error, seconds, facts);
    else if (result.kind === "inputs-changed") {
      session.files.forget(result.paths);
      ticket.settle({ kind: "inputs-changed", paths: result.paths });
    } else this.#record(ticket, wanted, result, facts);
    folder.taken(ticket.id);
  }

  #record(
    ticket: Ticket,
    { run }: Wanted,
    { outputs, finished, staged, seconds, key }: Extract<TaskResult, { kind: "ran" }>,
    facts: object,
  ): void {
    const { recorder, folder } = this.#driver;
    const { task } = run;
    const paths = staged.map((path) => join(folder.path, path));
    try {
      recorder.recordStored({
        task,
        stored: { key, outputs, seconds, finished },
        staged: paths,
        log: logPath(task),
      });
      ticket.settle({ kind: "ran", ...facts });
    } catch (error) {
      this.fail(ticket, failureOf(error).error, seconds, facts);
    }
    // What the attempt left beside its outputs.
    for (const path of paths.slice(0, 1)) remove(join(path, "../.."));
  }

  /** The job was warned that its time is up. */
  #cut(ticket: Ticket, { saved, seconds, job, node }: Extract<TaskResult, { kind: "cut" }>): void {
    if (saved) return this.#again(ticket);
    this.fail(ticket, timeText(lostTask(this.#driver, ticket, "time")), seconds, { job, node });
    this.#driver.folder.taken(ticket.id);
  }

  #again(ticket: Ticket): void {
    this.#driver.folder.taken(ticket.id);
    this.again(ticket);
  }
}
