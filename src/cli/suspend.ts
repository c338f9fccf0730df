/**
 * Stops the running tasks together with lq at Ctrl-Z, and continues them with it. The kernel alone would stop only lq,
 * because tasks have their own process groups. A user who suspends a build wants its cores.
 */
import { whileStopped } from "../system/process-tree.ts";
import { isLive } from "../report/is-live.ts";

const SHOW_CURSOR = "\x1b[?25h";

/** @returns a function that stops listening */
export function onSuspend(): () => void {
  const suspend = (): void => {
    // Show the cursor, which the live view hides.
    if (isLive(process.stdout)) process.stdout.write(SHOW_CURSOR);
    process.off("SIGTSTP", suspend);
    // This returns when lq continues, or at once if there is no shell that could continue it.
    whileStopped(() => process.kill(process.pid, "SIGTSTP"));
    process.on("SIGTSTP", suspend);
  };
  process.on("SIGTSTP", suspend);
  return () => process.off("SIGTSTP", suspend);
}
