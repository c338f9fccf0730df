/** The driver's view of what it has submitted: tickets and the jobs that have them. */
import type { RunResult, TaskRun } from "../execute/task-run.ts";
import type { TaskEvent } from "../execute/task-reports.ts";
import { EventReader } from "./job-events.ts";
import { eventsFile } from "./pack.ts";
import { jobName, type EndCause } from "./system.ts";

/** A build that wants the ticket's task. */
export interface Wanted {
  readonly run: TaskRun;
  readonly emit: (event: TaskEvent) => void;
  readonly settle: (result: RunResult) => void;
  /** Ends the build: something other than the task went wrong. */
  readonly fail: (error: unknown) => void;
}

/** One need for one run of a task. */
export class Ticket {
  readonly id: string;
  readonly task: string;
  readonly key: string;
  /** Null: a former build wanted it. */
  wanted: Wanted | null = null;
  /** The job that has it last; null: it waits to be submitted. */
  element: Element | null = null;
  started = false;
  /** The result was taken, or nobody waits for it any more. */
  done = false;
  /** The build no longer wants it, and its job is being ended. */
  cancelling = false;
  readonly ends = new Map<EndCause, number>();
  readonly avoid = new Set<string>();
  /** Bytes; null: as the rule says. */
  memory: number | null = null;
  /** State of its scratch folder when it was last submitted. */
  scratch = "";

  constructor(id: string, task: string, key: string) {
    this.id = id;
    this.task = task;
    this.key = key;
  }

  /** The task has ended. */
  settle(result: RunResult): void {
    this.done = true;
    this.leave(result);
  }

  /** The build no longer waits for the task; its job goes on. */
  leave(result: RunResult): void {
    this.wanted?.settle(result);
    this.wanted = null;
  }
}

/** One job: an element of a submission. */
export class Element {
  readonly batch: Batch;
  readonly index: number;
  readonly tickets: readonly Ticket[];
  readonly events: EventReader;
  phase: "queued" | "running" = "queued";
  reason = "";
  node = "";
  /** How many polls in a row did not show it. */
  unseen = 0;
  over = false;

  constructor(batch: Batch, index: number, tickets: readonly Ticket[], folder: string) {
    this.batch = batch;
    this.index = index;
    this.tickets = tickets;
    this.events = new EventReader(eventsFile(folder, index));
    for (const ticket of tickets) ticket.element = this;
  }

  get job(): string {
    return jobName(this.batch.id ?? "", this.index, this.batch.size);
  }

  /** Its tasks without a result. */
  get left(): readonly Ticket[] {
    return this.tickets.filter(({ done, element }) => !done && element === this);
  }
}

/** What one call submitted. */
export class Batch {
  readonly name: string;
  /** Null: not known yet. */
  id: string | null;
  readonly submitted: number;
  readonly size: number;
  elements: readonly Element[] = [];

  constructor(name: string, id: string | null, submitted: number, size: number) {
    this.name = name;
    this.id = id;
    this.submitted = submitted;
    this.size = size;
  }

  get tickets(): readonly Ticket[] {
    return this.elements.flatMap(({ tickets }) => tickets);
  }
}

export class Board {
  /** By id. */
  readonly tickets = new Map<string, Ticket>();
  readonly #byTask = new Map<string, Ticket>();
  readonly batches: Batch[] = [];
  /** Tickets that no job has. */
  readonly waiting = new Set<Ticket>();

  add(ticket: Ticket): void {
    this.tickets.set(ticket.id, ticket);
    this.#byTask.set(ticket.task, ticket);
  }

  /** The ticket of a task that has no result yet. */
  ofTask(task: string): Ticket | undefined {
    const ticket = this.#byTask.get(task);
    return ticket?.done === false ? ticket : undefined;
  }

  get live(): readonly Element[] {
    return this.batches.flatMap(({ elements }) => elements.filter(({ over }) => !over));
  }

  /** What jobs wait for, as "12 jobs: Resources". */
  get reasons(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { phase, reason } of this.live)
      if (phase === "queued" && reason !== "" && reason !== "None")
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return [...counts].map(([reason, count]) => `${count} ${count === 1 ? "job" : "jobs"}: ${reason}`);
  }
}
