/** Slurm, by its commands sbatch, squeue, scancel and scontrol. */
import {
  jobName,
  type BatchSystem,
  type EndCause,
  type JobEnd,
  type JobRequest,
  type JobState,
  type Submission,
  type Submitted,
} from "../batch/system.ts";
import { outputFile } from "../batch/pack.ts";
import { isAway, slurm } from "./command.ts";
import type { Facts, Partition } from "./facts.ts";
import { askQueue, cancelJobs, causeOf } from "./queue.ts";
import { requestWords } from "./request-words.ts";
import { jobScript, NO_PROGRAM, NO_PROJECT } from "./script.ts";

/** What sbatch says when a limit on the number of jobs is reached. */
const LIMIT =
  /MaxSubmitJob|MaxJobs|job submit limit|temporarily unable to accept|resource temporarily unavailable|QOSMax|AssocMax|AssocGrp|QOSGrp/i;

export class Slurm implements BatchSystem {
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  get mostElements(): number {
    return this.#facts.mostElements;
  }

  async submit(submission: Submission): Promise<Submitted> {
    const { name, root, folder, elements, request, tasks, avoid } = submission;
    const words = [
      "--parsable",
      `--job-name=${name}`,
      `--output=${outputFile(folder, elements === 1 ? 0 : "%a")}`,
      `--chdir=${root}`,
      ...(elements === 1 ? [] : [`--array=0-${elements - 1}`]),
      ...requestWords(request, tasks, avoid),
    ];
    const answer = await slurm("sbatch", words, jobScript(submission));
    const id = /^(\d+)/.exec(answer.stdout)?.[1];
    if (answer.code === 0 && id !== undefined) return { kind: "submitted", id };
    const why = reasonOf(answer.stderr);
    if (isAway(answer)) return { kind: "away", why };
    return LIMIT.test(answer.stderr) ? { kind: "limit", why } : { kind: "refused", why };
  }

  readonly jobs = askQueue;
  readonly cancel = cancelJobs;

  async end(state: JobState): Promise<JobEnd | null> {
    const id = jobName(state.id, state.element, 2);
    let answer = await slurm("scontrol", ["show", "job", "--oneliner", id]);
    if (answer.code !== 0) answer = await slurm("scontrol", ["show", "job", "--oneliner", state.id]);
    if (answer.code !== 0) return null;
    const field = (name: string): string =>
      new RegExp(`(?:^| )${name}=(\\S*)`).exec(answer.stdout)?.[1] ?? "";
    const [code = "0"] = field("ExitCode").split(":");
    const reason = field("Reason");
    const text = [
      state.state,
      ...(reason === "None" ? [] : [reason]),
      ...(code === "0" ? [] : [`exit code ${code}`]),
    ];
    return {
      cause: endCause(state.state, Number(code)),
      text: text.join(", "),
      node: field("BatchHost") || state.node,
    };
  }

  places({ cpus, settings }: JobRequest): number {
    const cores = this.#partitions(settings).reduce((sum, partition) => sum + partition.cpus, 0);
    return Math.max(1, Math.floor(cores / Math.max(1, cpus)));
  }

  longest({ settings }: JobRequest): number | null {
    const limits = this.#partitions(settings).map(({ longest }) => longest);
    const known = limits.filter((limit) => limit !== null);
    return known.length < limits.length || known.length === 0 ? null : Math.max(...known);
  }

  #partitions(settings: JobRequest["settings"]): readonly Partition[] {
    const named = settings.get("partition")?.[0]?.split(",");
    return this.#facts.partitions.filter(({ name, isDefault }) => named?.includes(name) ?? isDefault);
  }
}

function endCause(state: string, code: number): EndCause {
  if (code === NO_PROJECT) return "no-project";
  return code === NO_PROGRAM ? "no-program" : causeOf(state);
}

/** The last line without the program's name. */
export function reasonOf(stderr: string): string {
  return (stderr.split("\n").at(-1) ?? "")
    .replace(/^sbatch: error: /, "")
    .replace(/^Batch job submission failed: /, "");
}
