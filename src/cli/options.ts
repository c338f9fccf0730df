/** The flags that every command shares, and what follows from them. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { loadPipeline, PIPELINE_FILE } from "../load/load.ts";
import type { Pipeline } from "../model.ts";
import type { ViewOptions } from "../report/listener.ts";

export interface CommonFlags {
  /** -C DIR */
  readonly directory?: string;
  readonly jobs?: number;
  readonly slots?: string;
  readonly keepGoing?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly profile?: readonly string[];
  readonly set?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: "auto" | "always" | "never";
}

export interface Project {
  readonly pipeline: Pipeline;
  /** Absolute folder that typed paths start from. */
  readonly cwd: string;
}

/**
 * The project that a command is about: the nearest folder with a pipeline.yaml, from the start folder upwards.
 * Throws UserError if there is none or it is wrong.
 */
export function openProject(flags: CommonFlags): Project {
  const cwd = startFolder(flags);
  const dir = nearestProject(cwd);
  if (dir === undefined) {
    throw new UserError({
      message: `there is no ${PIPELINE_FILE} in ${cwd} or in any folder above it`,
      hint: "go to the project's folder, or name it with -C DIR",
    });
  }
  return { pipeline: loadPipeline({ dir, profiles: flags.profile ?? [], set: flags.set ?? [] }), cwd };
}

export function startFolder({ directory }: CommonFlags): string {
  return resolve(directory ?? ".");
}

export function nearestProject(from: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, PIPELINE_FILE))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

/** --color wins; `auto` follows the stream, NO_COLOR and FORCE_COLOR. */
export function useColor(stream: NodeJS.WriteStream, choice: CommonFlags["color"] = "auto"): boolean {
  if (choice !== "auto") return choice === "always";
  if (process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== "") return false;
  if (process.env.FORCE_COLOR !== undefined && process.env.FORCE_COLOR !== "0") return true;
  return stream.isTTY === true;
}

/** How to show a build, on stdout. */
export function viewOptions(flags: CommonFlags, pipeline: Pipeline): ViewOptions {
  return {
    json: flags.json === true,
    quiet: flags.quiet === true,
    dryRun: flags.dryRun === true,
    color: useColor(process.stdout, flags.color),
    rules: [...pipeline.rules.keys()],
    stdout: process.stdout,
  };
}
