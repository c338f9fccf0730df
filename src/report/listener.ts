/** Chooses the view of a build: NDJSON, the live terminal view, or plain lines. */
import { isLive } from "./is-live.ts";
import { painter } from "./paint.ts";
import { plainView } from "./plain.ts";
import { printableLine } from "./printable.ts";
import type { View } from "./view.ts";

export interface ViewOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Print the commands of tasks. */
  readonly verbose: boolean;
  readonly dryRun: boolean;
  readonly color: boolean;
  /** The pipeline's rules. */
  readonly rules: readonly string[];
  readonly stdout: NodeJS.WriteStream;
}

export async function createView({ json, quiet, verbose, dryRun, ...rest }: ViewOptions): Promise<View> {
  const { color, stdout } = rest;
  const write = (line: string): void => void stdout.write(`${line}\n`);
  if (json) return { listener: (event) => write(JSON.stringify(event)), close: () => Promise.resolve() };
  if (isLive(stdout) && !quiet && !verbose && !dryRun)
    return (await import("./terminal.ts")).terminalView(rest);
  return plainView({
    quiet,
    verbose,
    dryRun,
    paint: painter(color),
    write: (line) => write(printableLine(line)),
  });
}
