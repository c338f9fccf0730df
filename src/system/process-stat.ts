/** What Linux tells of a process in /proc: proc(5), `/proc/[pid]/stat`. */
import { readFileSync } from "node:fs";

export interface ProcessStat {
  /** One letter: "T" suspended, "Z" and "X" over. */
  readonly state: string;
  readonly parent: number;
  /** When it began, in the system's own terms: tells it from a later one with its number. */
  readonly started: string;
}

/** Null where the system does not say: elsewhere than on Linux, and of a process that is gone. */
export function processStat(pid: number): ProcessStat | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // Field 2 is the name, which may hold anything, in parentheses; the next is the state.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), started: fields[19] ?? "" };
}

export function isOver({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

/** Whether a process is suspended (Ctrl-Z, a batch system): it does nothing with what it has, or waits for. */
export function isStopped(pid: number): boolean {
  return processStat(pid)?.state === "T";
}
