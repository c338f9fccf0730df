/** Threads that resample. */
import { type Crew, crewOf } from "../threads/crew.ts";
import { perform, type ResampleJob } from "./jobs.ts";
import thread from "./thread.ts?thread";

export type ResampleCrew = Crew<ResampleJob>;

/** Close it when the work is done. */
export function resampleCrew(threads: number): ResampleCrew {
  return crewOf(thread, perform, threads);
}

/** No threads but the caller's own. */
export const alone = resampleCrew(1);

/** Parts for each thread: no thread then waits long for another. */
export const SHARES = 4;

/** New samples below which a thread takes longer to start than it helps. */
export const MANY = 1 << 21;
