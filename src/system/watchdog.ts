/**
 * Ends what lq's children left running when lq itself is gone, also by SIGKILL: a shell that waits, asleep, for
 * the end of a pipe that only lq holds, and then ends every process that bears the mark of this lq.
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
  # A process that was just being started bears the mark a moment later.
  over=looked
  sleep 1
done
`;

/** @param run of letters and digits */
export function startWatchdog(mark: string, run: string): void {
  // In a session of its own: what is sent to lq's whole group must not end it.
  const child = spawn("sh", ["-c", SCRIPT, "lq-watchdog", mark, run], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell on this system, children that lq's own death leaves behind stay.
  child.once("error", () => undefined);
  child.unref();
  const { stdin } = child;
  if (stdin instanceof Socket) stdin.unref();
  stdin.on("error", () => undefined);
  // In an orderly end nothing is just being started.
  process.once("exit", () => stdin.write("over\n"));
}
