/** Gathers what decides about a task whose job ended without a result. */
import { tailOf } from "../execute/log.ts";
import { scratchOf } from "../execute/make-outputs.ts";
import type { Ticket } from "./board.ts";
import type { Driver } from "./driver.ts";
import type { LostTask } from "./fate.ts";
import { outputFile } from "./pack.ts";
import { scratchStamp } from "./scratch-stamp.ts";
import type { EndCause } from "./system.ts";

const PRINTED_LINES = 5;

/** Counts the end. */
export function lostTask(driver: Driver, ticket: Ticket, cause: EndCause): LostTask {
  const { session, folder, requestOf, mostMemoryOf, program } = driver;
  const { element, wanted, key } = ticket;
  if (element === null || wanted === null) throw new Error(`nobody waits for ${ticket.task}`);
  const { task } = wanted.run;
  const times = (ticket.ends.get(cause) ?? 0) + 1;
  ticket.ends.set(cause, times);
  const claim = folder.claimOf(ticket.id);
  const request = requestOf(task);
  const alike = session.graph.tasks.filter(({ rule }) => rule === task.rule);
  const longest = Math.max(0, ...alike.map(({ id }) => session.state.seconds(id) ?? 0));
  return {
    started: claim !== null || ticket.started,
    resume: task.rule.resume,
    saved: scratchStamp(scratchOf(session.root, { task, key })) !== ticket.scratch,
    times,
    seconds: request.seconds,
    longest: longest > 0 ? longest : null,
    memory: ticket.memory ?? request.memory,
    mostMemory: mostMemoryOf(task),
    retries: task.rule.retries,
    job: element.job,
    root: session.root,
    program,
    printed: tailOf(outputFile(folder.submission(element.batch.name), element.index)).slice(-PRINTED_LINES),
  };
}
