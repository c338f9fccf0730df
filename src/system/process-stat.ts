/** Reads what Linux says about a process in `/proc/[pid]/stat`: see proc(5). */
import { readFileSync } from "node:fs";

export interface ProcessStat {
  /** One letter: "T" is suspended, "Z" and "X" have ended. */
  readonly state: string;
  readonly parent: number;
  /** Start time in clock ticks since boot. It distinguishes the process from a later one with the same pid. */
  readonly started: string;
}

/** Null if the system does not say: outside Linux, and for a process that has ended. */
export function processStat(pid: number): ProcessStat | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // Field 2 is the name in parentheses, which may contain any text. The next field is the state.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), started: fields[19] ?? "" };
}

export function isOver({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

/** Whether a process is suspended (Ctrl-Z, a batch system). It then uses nothing that it holds or waits for. */
export function isStopped(pid: number): boolean {
  return processStat(pid)?.state === "T";
}
