/** The process of a job. Arguments: folder of the submission, number of the element, job, number of restarts, node. */
import { runPack } from "./run-pack.ts";

const [folder = "", element = "0", job = "", restart = "0", node = ""] = process.argv.slice(2);

runPack(folder, Number(element), { job, restart: Number(restart), node }).catch((error: unknown) => {
  // The driver shows the last lines of what a job prints.
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
