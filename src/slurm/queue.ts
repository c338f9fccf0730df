/** Asks Slurm for the user's jobs, and ends jobs. */
import type { EndCause, JobState } from "../batch/system.ts";
import { isAway, slurm } from "./command.ts";

/** Id of the submission, number in its array, name, state, node, reason. */
const FORMAT = "%F|%K|%j|%T|%N|%r";

const QUEUED = new Set(["PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"]);
const RUNNING = new Set([
  "RUNNING",
  "COMPLETING",
  "SUSPENDED",
  "STOPPED",
  "SIGNALING",
  "STAGE_OUT",
  "RESIZING",
]);

/** All jobs of this user that Slurm knows, also those that ended lately; null: it does not answer. */
export async function askQueue(): Promise<readonly JobState[] | null> {
  const words = ["--me", "--array", "--noheader", "--states=all", `--format=${FORMAT}`];
  const answer = await slurm("squeue", words);
  return answer.code === 0 ? parseQueue(answer.stdout) : null;
}

/** @returns whether Slurm answered */
export async function cancelJobs(ids: readonly string[]): Promise<boolean> {
  return ids.length === 0 || !isAway(await slurm("scancel", ids));
}

export function parseQueue(text: string): readonly JobState[] {
  return text.split("\n").flatMap((line) => {
    const [id = "", element = "", name = "", state = "", node = "", ...reason] = line.split("|");
    if (!name.startsWith("lq-")) return [];
    const phase = jobPhase(state);
    return [
      {
        id,
        element: /^\d+$/.test(element) ? Number(element) : 0,
        name,
        phase,
        state,
        node,
        reason: reason.join("|"),
      },
    ];
  });
}

export function jobPhase(state: string): JobState["phase"] {
  return QUEUED.has(state) ? "queued" : RUNNING.has(state) ? "running" : "over";
}

const CAUSES = new Map<string, EndCause>([
  ["CANCELLED", "cancelled"],
  ["TIMEOUT", "time"],
  ["DEADLINE", "time"],
  ["PREEMPTED", "preempted"],
  ["NODE_FAIL", "node"],
  ["BOOT_FAIL", "node"],
  ["OUT_OF_MEMORY", "memory"],
]);

export function causeOf(state: string): EndCause {
  return CAUSES.get(state) ?? "other";
}
