/** Starts `lq ui` as a process of its own beside a command, and ends it with the command. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { installation } from "../system/installation.ts";
import type { CommonFlags } from "./flags.ts";

export interface PageFlags extends CommonFlags {
  /** Serve the page while the command runs. */
  readonly ui?: boolean;
}

/**
 * Serves the page if the flags ask for it. The page's process prints its address on stderr. A page that cannot start
 * does not stop the command.
 * @returns a function that ends the page
 */
export async function startPage(root: string, { ui, profile, set }: PageFlags): Promise<() => void> {
  if (ui !== true) return () => undefined;
  const words = ["-C", root, "ui", ...named("--profile", profile), ...named("--set", set)];
  const page = spawn(process.execPath, [join(installation(), "dist/cli.cjs"), ...words], {
    // The page ends when the channel closes, also when this process is killed.
    stdio: ["ignore", 2, 2, "ipc"],
    // Its own process group, so that Ctrl-C ends the build first and the page shows how it ended.
    detached: true,
  });
  await new Promise<void>((ready) => {
    page.once("message", () => ready());
    page.once("error", () => ready());
    page.once("exit", () => ready());
  });
  if (!page.connected)
    process.stderr.write("the page could not be started; the command goes on without it\n");
  page.unref();
  page.channel?.unref();
  return () => {
    if (page.connected) page.disconnect();
  };
}

function named(flag: string, values: readonly string[] = []): readonly string[] {
  return values.flatMap((value) => [flag, value]);
}
