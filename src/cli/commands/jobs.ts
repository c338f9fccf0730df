/** `lq jobs`: the jobs of the project that Slurm has. */
import { firstNames } from "../../model/cut-list.ts";
import { endJobs, listJobs, type ListedJob } from "../../slurm/list-jobs.ts";
import { refuseWithoutSlurm } from "../../slurm/programs.ts";
import { openProject, type CommonFlags } from "../options.ts";
import { print } from "../print.ts";

/** Names of tasks that are printed for a job. */
const SHOWN = 3;

interface JobsFlags extends CommonFlags {
  readonly cancel?: boolean;
}

export async function runJobs(_: readonly string[], flags: JobsFlags): Promise<number> {
  const { pipeline } = openProject(flags);
  refuseWithoutSlurm();
  const jobs = await listJobs(pipeline.root);
  if (flags.cancel === true) await endJobs(jobs);
  if (flags.json === true) jobs.forEach(printJson);
  else if (flags.cancel === true) print(`${jobs.length} cancelled`);
  else if (jobs.length === 0) print("no jobs");
  else
    for (const { job, state, node, tasks } of jobs)
      print([job, state, node, firstNames(tasks, SHOWN)].filter(Boolean).join("  "));
  return 0;
}

function printJson({ job, state, tasks }: ListedJob): void {
  console.log(JSON.stringify({ type: "job", job, state, tasks }));
}
