/** Which view listens to a build: NDJSON, nothing but failures, the live terminal view, or plain lines. */
import type { CommonFlags } from "../cli/options.ts";
import { useColor } from "../cli/options.ts";
import type { Listener } from "./events.ts";
import { plainView } from "./plain.ts";

export interface View {
  readonly listener: Listener;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

export async function createListener(flags: CommonFlags): Promise<View> {
  if (flags.json) {
    return {
      listener: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
      close: () => Promise.resolve(),
    };
  }
  const color = useColor(process.stdout, flags.color);
  const live = process.stdout.isTTY === true && flags.quiet !== true && flags.dryRun !== true;
  if (live) return (await import("./terminal.ts")).terminalView({ color });
  return plainView({
    quiet: flags.quiet === true,
    dryRun: flags.dryRun === true,
    write: (line) => console.log(line),
  });
}
