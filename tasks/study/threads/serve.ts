/** The part of a crew that runs in each thread. */
import { parentPort } from "node:worker_threads";

/** Does each job that arrives. If a job throws, the thread ends and the sender gets the error. */
export function serve<Job>(perform: (job: Job) => void): void {
  parentPort?.on("message", (job: Job) => {
    perform(job);
    parentPort?.postMessage(null);
  });
}
