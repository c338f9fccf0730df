/**
 * Ctrl-Z: what runs stops with lq, and goes on with it. It would not by itself, for tasks lead process groups of
 * their own; and whoever suspends a build wants its cores.
 */
import { whileStopped } from "../system/process-tree.ts";
import { isLive } from "../report/is-live.ts";

const SHOW_CURSOR = "\x1b[?25h";

/** @returns what stops listening */
export function onSuspend(): () => void {
  const suspend = (): void => {
    // Lines that are drawn over hide it.
    if (isLive(process.stdout)) process.stdout.write(SHOW_CURSOR);
    process.off("SIGTSTP", suspend);
    // Ends when lq is continued; at once where no shell is there that could do that.
    whileStopped(() => process.kill(process.pid, "SIGTSTP"));
    process.on("SIGTSTP", suspend);
  };
  process.on("SIGTSTP", suspend);
  return () => process.off("SIGTSTP", suspend);
}
