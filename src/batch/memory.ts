/** Whether a task was killed because it used more memory than its job has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** @param error how the task ended */
export function killedForMemory(error: string): boolean {
  return /SIGKILL|exit code 137/.test(error) && kills() > 0;
}

/** How many processes the kernel has killed in this job's control group. 0 where there is none. */
function kills(): number {
  try {
    const [, group = ""] = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8")) ?? [];
    const events = readFileSync(join("/sys/fs/cgroup", group, "memory.events"), "utf8");
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
