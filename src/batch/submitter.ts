/** Submits tasks that wait: in the order of their priorities, in packs, and packs that are ready together as one array. */
import { mkdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { scratchOf } from "../execute/make-outputs.ts";
import { Batch, Element, type Ticket } from "./board.ts";
import type { Driver } from "./driver.ts";
import { packsOf } from "./packing.ts";
import { scratchStamp } from "./scratch-stamp.ts";
import { writeSubmission } from "./submission-file.ts";
import type { JobRequest, Submission } from "./system.ts";
import { writePacks } from "./write-packs.ts";

/** Milliseconds in which tasks that become ready together gather. */
const GATHER = 60;
/** How many tasks of a rule that never ran are submitted before one of them has ended. */
const MOST_UNKNOWN = 16;
/** Milliseconds until the next try when the system takes no more jobs. */
const LIMITED = 60_000;

interface Group {
  readonly request: JobRequest;
  readonly avoid: readonly string[];
  readonly tickets: Ticket[];
}

export class Submitter {
  readonly #driver: Driver;
  /** A submission that the system may have or not. */
  #unsure: { readonly batch: Batch; readonly submission: Submission } | null = null;
  /** While the system takes no more jobs: when to try again, and how many jobs there were. */
  #limited: { readonly until: number; readonly jobs: number } | null = null;
  #seen = 0;
  #since = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** @returns milliseconds until it has something to do again */
  async work(): Promise<number> {
    const { board } = this.#driver;
    if (this.#unsure !== null) {
      const pause = await this.#resolve(this.#unsure);
      if (pause > 0) return pause;
    }
    if (board.waiting.size === 0) return Infinity;
    // More may become ready in the same moment.
    if (board.waiting.size !== this.#seen) {
      this.#seen = board.waiting.size;
      this.#since = performance.now();
    }
    const gathering = this.#since + GATHER - performance.now();
    if (gathering > 0) return gathering;
    const limited = this.#limited;
    if (limited !== null && board.live.length >= limited.jobs && performance.now() < limited.until)
      return limited.until - performance.now();
    this.#limited = null;
    for (const group of this.#groups()) {
      const pause = await this.#submitGroup(group);
      if (pause > 0) return pause;
    }
    this.#seen = board.waiting.size;
    return Infinity;
  }

  /** Waiting tasks that may share a job, the group with the most urgent task first. */
  #groups(): readonly Group[] {
    const { board, requestOf } = this.#driver;
    const groups = new Map<string, Group>();
    const waiting = [...board.waiting].filter(({ wanted }) => wanted !== null);
    for (const ticket of waiting.sort(byUrgency)) {
      const { task } = ticket.wanted!.run;
      const own = requestOf(task);
      const request = ticket.memory === null ? own : { ...own, memory: ticket.memory };
      const avoid = [...ticket.avoid].sort();
      const name = JSON.stringify([task.rule.name, { ...request, settings: [...request.settings] }, avoid]);
      const group = groups.get(name) ?? { request, avoid, tickets: [] };
      groups.set(name, group);
      group.tickets.push(ticket);
    }
    return [...groups.values()];
  }

  /** @returns milliseconds to wait before anything else is submitted */
  async #submitGroup({ request, avoid, tickets }: Group): Promise<number> {
    const { board, system, jobs, pack } = this.#driver;
    const room = Math.min(jobs - board.live.length, system.mostElements);
    if (room <= 0) return 0;
    const longest = system.longest(request);
    const seconds = this.#expect(tickets);
    const packs = packsOf(
      tickets.map((ticket) => ({ ticket, seconds: seconds(ticket) })),
      {
        pack,
        places: Math.min(jobs, system.places(request)),
        most:
          longest === null || request.seconds === null
            ? Infinity
            : Math.max(1, Math.floor(longest / request.seconds)),
        unknown: MOST_UNKNOWN - this.#running(tickets[0]),
      },
    ).slice(0, room);
    if (packs.length === 0) return 0;
    return this.#submit(
      packs.map((each) => each.map(({ ticket }) => ticket)),
      request,
      avoid,
    );
  }

  async #submit(
    packs: readonly (readonly Ticket[])[],
    request: JobRequest,
    avoid: readonly string[],
  ): Promise<number> {
    const { board, session, folder, command } = this.#driver;
    const name = `lq-${randomBytes(6).toString("hex")}`;
    const path = folder.submission(name);
    mkdirSync(path, { recursive: true });
    for (const ticket of packs.flat())
      ticket.scratch = scratchStamp(scratchOf(session.root, ticket.wanted!.run));
    await writePacks(session, path, packs, request);
    const batch = new Batch(name, null, Date.now(), packs.length);
    batch.elements = packs.map((tickets, index) => new Element(batch, index, tickets, path));
    this.#write(batch);
    const submission = {
      ...{ name, root: session.root, folder: path, request, avoid, command },
      tasks: Math.max(...packs.map(({ length }) => length)),
      elements: packs.length,
    };
    // A task may have been given up meanwhile; its job will find no reason to run it.
    for (const ticket of packs.flat()) board.waiting.delete(ticket);
    board.batches.push(batch);
    return this.#send(batch, submission);
  }

  async #send(batch: Batch, submission: Submission): Promise<number> {
    const { system, away, notice, systemName, board } = this.#driver;
    const answer = await system.submit(submission);
    this.#unsure = null;
    if (answer.kind === "away") {
      this.#unsure = { batch, submission };
      return away(answer.why);
    }
    away(null);
    if (answer.kind === "submitted") {
      this.#submitted(batch, answer.id);
      return 0;
    }
    this.#drop(batch);
    const tickets = batch.elements.flatMap(({ tickets }) => tickets);
    if (answer.kind === "limit") {
      for (const ticket of tickets) if (ticket.wanted !== null) board.waiting.add(ticket);
      this.#limited = { until: performance.now() + LIMITED, jobs: Math.max(1, board.live.length) };
      notice(`${systemName} takes no more jobs now (${answer.why}): the others wait until a job ends`);
      return LIMITED;
    }
    for (const ticket of tickets)
      if (ticket.wanted !== null)
        ticket.settle({ kind: "failed", error: `${systemName} refuses its job: ${answer.why}`, tail: [] });
    return 0;
  }

  /** Looks for the name of a submission that got no answer, before it submits again. */
  async #resolve({
    batch,
    submission,
  }: {
    readonly batch: Batch;
    readonly submission: Submission;
  }): Promise<number> {
    const { system, away } = this.#driver;
    const states = await system.jobs();
    if (states === null) return away("it does not answer");
    const found = states.find(({ name }) => name === batch.name);
    if (found === undefined) return this.#send(batch, submission);
    away(null);
    this.#unsure = null;
    this.#submitted(batch, found.id);
    return 0;
  }

  #submitted(batch: Batch, id: string): void {
    batch.id = id;
    this.#write(batch);
    for (const element of batch.elements)
      for (const { wanted, task } of element.left) wanted?.emit({ type: "queued", task, job: element.job });
  }

  #write({ name, id, submitted, elements }: Batch): void {
    writeSubmission(this.#driver.folder.submission(name), {
      ...{ name, id, submitted },
      elements: elements.map(({ tickets }) =>
        tickets.map(({ id: ticket, task, key }) => ({ ticket, task, key })),
      ),
    });
  }

  #drop(batch: Batch): void {
    const { board, folder } = this.#driver;
    board.batches.splice(board.batches.indexOf(batch), 1);
    for (const ticket of batch.tickets) ticket.element = null;
    folder.removeSubmission(batch.name, []);
  }

  /** Expected seconds: as the task took last, else the mean of its rule. */
  #expect(tickets: readonly Ticket[]): (ticket: Ticket) => number | null {
    const { session } = this.#driver;
    const rule = tickets[0]?.wanted?.run.task.rule;
    const known = session.graph.tasks.flatMap(({ id, rule: own }) =>
      own === rule ? (session.state.seconds(id) ?? []) : [],
    );
    const mean = known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
    return ({ task }) => session.state.seconds(task) ?? mean;
  }

  /** How many tasks of the ticket's rule are submitted. */
  #running(ticket: Ticket | undefined): number {
    const rule = ticket?.wanted?.run.task.rule;
    return this.#driver.board.live
      .flatMap(({ left }) => left)
      .filter(({ wanted }) => wanted?.run.task.rule === rule).length;
  }
}

function byUrgency(a: Ticket, b: Ticket): number {
  const [first, second] = [a.wanted!.run, b.wanted!.run];
  return second.priority - first.priority || first.task.index - second.task.index;
}
