/** What becomes of a task whose job ended without a result. */
import type { JobEnd } from "./system.ts";
import { duration } from "../report/lines.ts";
import { sizeText } from "../system/sizes.ts";

export interface LostTask {
  /** Whether the job had started it. */
  readonly started: boolean;
  readonly resume: boolean;
  /** Whether its scratch folder has changed since the job was submitted. */
  readonly saved: boolean;
  /** How often jobs with this task ended for a cause, this time included. */
  readonly times: number;
  /** Seconds that it may take; null: the partition's default. */
  readonly seconds: number | null;
  /** The longest recorded run of its rule, in seconds; null: none. */
  readonly longest: number | null;
  /** Bytes that it had; 0: the partition's default. */
  readonly memory: number;
  readonly mostMemory: number;
  readonly retries: number;
  readonly job: string;
  readonly root: string;
  readonly program: string;
  /** The last lines that the job printed. */
  readonly printed: readonly string[];
}

export type Fate =
  | {
      readonly kind: "again";
      /** A node that must not run it. */
      readonly avoid?: string;
      /** Bytes that it gets now. */
      readonly memory?: number;
    }
  | { readonly kind: "failed"; readonly error: string };

const MOST_NODES = 3;

const AGAIN: Fate = { kind: "again" };

export function fateOf({ cause, text, node }: JobEnd, lost: LostTask): Fate {
  const { started, resume, saved, times, job } = lost;
  switch (cause) {
    case "cancelled":
      return failed(`job ${job} was cancelled by somebody`);
    case "preempted":
      return AGAIN;
    case "time":
      if (!started || (resume && saved)) return AGAIN;
      return failed(timeText(lost));
    case "node":
      if (times < MOST_NODES) return { kind: "again", ...(node !== "" && { avoid: node }) };
      return failed(`its node failed ${times} times, last ${node} (job ${job})`);
    case "memory":
      return started ? fateOfMemory(lost) : AGAIN;
    case "no-project":
      return failed(
        `${node} does not see ${lost.root}: the project must lie on a file system that all nodes have`,
      );
    case "no-program":
      return failed(`${node} has no Node.js: there is no ${lost.program}`);
    case "other":
      if (times < 2) return AGAIN;
      return failed([`job ${job} ended without a result: ${text}`, ...lost.printed].join("\n"));
  }
}

/** It was killed for memory. */
export function fateOfMemory({ memory, mostMemory, times, retries }: LostTask): Fate {
  const more = Math.min(memory * 2, mostMemory === 0 ? Infinity : mostMemory);
  if (times <= retries && memory > 0 && more > memory) return { kind: "again", memory: more };
  const had = memory > 0 ? `it had ${sizeText(memory)}` : "it had the default of the partition";
  return failed(`killed for memory: ${had} (slots: memory)`);
}

/** It reached its time limit. */
export function timeText({ resume, seconds, longest }: LostTask): string {
  const limit =
    seconds === null ? "the time limit of its partition" : `its time limit of ${limitText(seconds)}`;
  if (resume) return `reached ${limit} without saving anything new`;
  const record = longest === null ? "" : `; the longest recorded run of its rule took ${duration(longest)}`;
  return `reached ${limit} (slurm: time)${record}`;
}

/** "4 h", "1 min 30 s" */
function limitText(seconds: number): string {
  return duration(seconds)
    .replace(/\.0 s$/, " s")
    .replace(/ 00 (min|s)$/, "");
}

function failed(error: string): Fate {
  return { kind: "failed", error };
}
