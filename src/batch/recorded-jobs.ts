/** The jobs of tasks as lq's own records have them, without a question to the batch system. */
import { JobsFolder } from "./jobs-folder.ts";
import { readSubmission } from "./submission-file.ts";
import { jobName } from "./system.ts";

export interface RecordedJob {
  readonly job: string;
  readonly jobState: "queued" | "running" | "done";
}

/** @returns for each task the last job that has it, by the task's id */
export function recordedJobs(root: string): ReadonlyMap<string, RecordedJob> {
  const folder = new JobsFolder(root);
  const records = folder.submissions().flatMap((name) => readSubmission(folder.submission(name)) ?? []);
  const done = new Set(folder.results());
  const jobs = new Map<string, RecordedJob>();
  for (const { id, elements } of records.sort((a, b) => a.submitted - b.submitted))
    for (const [index, tasks] of elements.entries())
      for (const { ticket, task } of tasks) {
        const claim = folder.claimOf(ticket);
        const jobState =
          done.has(ticket) || claim?.kind === "done" ? "done" : claim === null ? "queued" : "running";
        jobs.set(task, { job: jobName(id ?? "", index, elements.length), jobState });
      }
  return jobs;
}
