/** The jobs of a project that are queued or running. */
import { JobsFolder } from "../batch/jobs-folder.ts";
import { readSubmission } from "../batch/submission-file.ts";
import { jobName } from "../batch/system.ts";
import { UserError } from "../model/errors.ts";
import { askQueue, cancelJobs } from "./queue.ts";

export interface ListedJob {
  readonly job: string;
  /** In Slurm's words; with the reason if it waits. */
  readonly state: string;
  readonly node: string;
  readonly tasks: readonly string[];
  /** Id of the submission. */
  readonly id: string;
}

/** @throws UserError if Slurm does not answer */
export async function listJobs(root: string): Promise<readonly ListedJob[]> {
  const folder = new JobsFolder(root);
  const records = folder.submissions().flatMap((name) => readSubmission(folder.submission(name)) ?? []);
  if (records.length === 0) return [];
  const states = await askQueue();
  if (states === null) throw new UserError("Slurm does not answer");
  return records.flatMap(({ name, id, elements }) =>
    elements.flatMap((tasks, index) => {
      const state = states.find(
        (each) => each.name === name && each.element === index && (id ?? each.id) === each.id,
      );
      if (state === undefined || state.phase === "over") return [];
      const words = state.phase === "queued" ? `${state.state} (${state.reason})` : state.state;
      return [
        {
          job: jobName(state.id, index, elements.length),
          state: words,
          node: state.node,
          tasks: tasks.map(({ task }) => task),
          id: state.id,
        },
      ];
    }),
  );
}

/** @throws UserError if Slurm does not answer */
export async function endJobs(jobs: readonly ListedJob[]): Promise<void> {
  if (!(await cancelJobs([...new Set(jobs.map(({ id }) => id))])))
    throw new UserError({ message: "Slurm does not answer", hint: "try again" });
}
