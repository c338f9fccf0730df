/**
 * Cancels a build when a signal arrives. A person sends SIGINT: all tasks end at once, and a second SIGINT ends lq
 * without waiting for them. Batch systems, init and closing terminals send the other signals, some of them more than
 * once. After these, resumable tasks get time to save.
 */
import { constants } from "node:os";
import { Preempted } from "../execute/attempt.ts";
import { onSuspend } from "./suspend.ts";

export interface Interrupt {
  readonly signal: AbortSignal;
  /** 128 + the number of the first signal; null if there was none. */
  exitCode(): number | null;
  /** Stops listening. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const;

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let code: number | null = null;
  const unsuspend = onSuspend();
  const handlers = SIGNALS.map((name) => {
    const handler = () => {
      if (code !== null && name === "SIGINT") process.exit(code);
      if (code !== null) return;
      code = 128 + constants.signals[name];
      if (name === "SIGINT") {
        process.stderr.write("interrupted: ending the running tasks (Ctrl-C again: exit at once)\n");
        controller.abort(new Error("interrupted"));
      } else {
        process.stderr.write(
          `${name}: resumable tasks save and end, others end now (Ctrl-C: end all at once)\n`,
        );
        controller.abort(new Preempted(name));
      }
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      unsuspend();
      handlers.forEach((off) => off());
    },
  };
}
