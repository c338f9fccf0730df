/** The threads that resample. */
import { type Crew, crewOf } from "../threads/crew.ts";
import { perform, type ResampleJob } from "./jobs.ts";
import thread from "./thread.ts?thread";

export type ResampleCrew = Crew<ResampleJob>;

/** A crew of threads. Close it after use. */
export function resampleCrew(threads: number): ResampleCrew {
  return crewOf(thread, perform, threads);
}

/** A crew that works in the caller's own thread. */
export const alone = resampleCrew(1);

/** Parts of the work for each thread. With several parts no thread waits long for another. */
export const SHARES = 4;

/** With fewer new samples than this, starting a thread takes longer than it saves. */
export const MANY = 1 << 21;
