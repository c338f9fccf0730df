/**
 * Signals cancel a build in order. SIGINT is a person's: all ends at once, and once more does not even wait for
 * that. The others come from batch systems, init and closing terminals, some more than once, and leave resumable
 * tasks the time to save.
 */
import { constants } from "node:os";
import { Preempted } from "../execute/attempt.ts";
import { onSuspend } from "./suspend.ts";

export interface Interrupt {
  readonly signal: AbortSignal;
  /** 128 and the number of the first signal once interrupted, else null. */
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
        process.stderr.write("interrupted: ending what runs (once more: at once)\n");
        controller.abort(new Error("interrupted"));
      } else {
        process.stderr.write(`${name}: resumable tasks save and end, others end now (Ctrl-C: all at once)\n`);
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
