/**
 * Kills the processes of lq's children when lq itself has ended, even after SIGKILL. The watchdog is a shell that reads
 * from a pipe. Only lq holds the other end. When the pipe closes, the watchdog kills every process with the mark of
 * this lq.
 */
import { spawn } from "node:child_process";
import { Socket } from "node:net";

const SCRIPT = `
read -r over
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=$(grep -lsz "^$1=$2/" /proc/[0-9]*/environ)
  for file in $found; do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}"
  done
  [ -z "$found" ] || continue
  [ -z "$over" ] || exit 0
  # A process that was just being started has the mark a moment later.
  over=looked
  sleep 1
done
`;

/** @param run identifies this lq; letters and digits only */
export function startWatchdog(mark: string, run: string): void {
  // Detach it, because a signal to lq's whole process group must not end the watchdog.
  const child = spawn("sh", ["-c", SCRIPT, "lq-watchdog", mark, run], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // On a system without a shell, children keep running when lq is killed.
  child.once("error", () => undefined);
  child.unref();
  const { stdin } = child;
  if (stdin instanceof Socket) stdin.unref();
  stdin.on("error", () => undefined);
  // In an orderly exit lq is not starting anything, so the watchdog need not search twice.
  process.once("exit", () => stdin.write("over\n"));
}
