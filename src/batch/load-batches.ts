/** Finds what earlier builds have submitted. */
import { Batch, Element, Ticket, type Board } from "./board.ts";
import type { JobsFolder } from "./jobs-folder.ts";
import { readSubmission } from "./submission-file.ts";

export function loadBatches(board: Board, folder: JobsFolder): void {
  const records = folder.submissions().flatMap((name) => readSubmission(folder.submission(name)) ?? []);
  for (const { name, id, submitted, elements } of records.sort((a, b) => a.submitted - b.submitted)) {
    const batch = new Batch(name, id, submitted, elements.length);
    batch.elements = elements.map((tasks, index) => {
      const tickets = tasks.map(({ ticket: ticketId, task, key }) => {
        const known = board.tickets.get(ticketId) ?? new Ticket(ticketId, task, key);
        const claim = folder.claimOf(ticketId);
        known.started = claim?.kind === "taken";
        known.done = claim?.kind === "done";
        board.add(known);
        return known;
      });
      const element = new Element(batch, index, tickets, folder.submission(name));
      element.over = tickets.every(({ done }) => done);
      return element;
    });
    board.batches.push(batch);
  }
}
