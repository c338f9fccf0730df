/** Whether a process is suspended (Ctrl-Z, a batch system): it does nothing with what it has, or waits for. */
import { readFileSync } from "node:fs";

export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // After the name, which may hold anything, in parentheses.
    return stat.startsWith("T", stat.lastIndexOf(")") + 2);
  } catch {
    return false;
  }
}
