/**
 * Children lead their own process groups, so that ending one ends everything it started. The groups that are
 * alive are known, and none outlives lq.
 */
import type { ChildProcess } from "node:child_process";

const alive = new Set<number>();
let guarded = false;

/** Call right after a `detached` spawn. */
export function trackGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (!guarded) process.on("exit", () => alive.forEach((group) => signalGroup(group, "SIGKILL")));
  guarded = true;
  alive.add(pid);
  // What the leader left behind in its group when it ended goes with it.
  child.once("exit", () => {
    alive.delete(pid);
    signalGroup(pid, "SIGKILL");
  });
}

/** Asks the group to end, and ends it after `grace` milliseconds. The child's "exit" says when it is over. */
export function endGroup(child: ChildProcess, grace: number): void {
  const { pid } = child;
  if (pid === undefined || hasEnded(child)) return;
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), grace);
  child.once("exit", () => clearTimeout(timer));
}

export function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined && !hasEnded(child)) signalGroup(child.pid, "SIGKILL");
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The whole group has ended.
  }
}
