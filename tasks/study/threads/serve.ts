/** The thread's side of a crew. */
import { parentPort } from "node:worker_threads";

/** Does the jobs that are sent. What a job throws ends the thread, and the one who sent it is told. */
export function serve<Job>(perform: (job: Job) => void): void {
  parentPort?.on("message", (job: Job) => {
    perform(job);
    parentPort?.postMessage(null);
  });
}
