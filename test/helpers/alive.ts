import { readFileSync } from "node:fs";

/** Whether a process runs; one that nobody has waited for yet is dead all the same. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
