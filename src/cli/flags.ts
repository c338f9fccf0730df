/** Defines the flags that all commands share, and computes values from them without reading the project. */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import type { Executor } from "../model/executors.ts";
import { PIPELINE_FILE } from "../load/files.ts";

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
  readonly verbose?: boolean;
  readonly color?: "auto" | "always" | "never";
  /** A flag of `build` and `watch`. */
  readonly executor?: Executor;
}

/** @throws UserError if the current folder was removed */
export function startFolder({ directory }: CommonFlags): string {
  try {
    return resolve(directory ?? ".");
  } catch {
    throw new UserError({
      message: "the current folder was removed",
      hint: "go to an existing folder, or give the project's absolute path with -C",
    });
  }
}

export function nearestProject(from: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, PIPELINE_FILE))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

/** --color decides. With `auto`, the stream, NO_COLOR, FORCE_COLOR and TERM decide. */
export function useColor(stream: NodeJS.WriteStream, choice: CommonFlags["color"] = "auto"): boolean {
  if (choice !== "auto") return choice === "always";
  if (process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== "") return false;
  if (process.env.FORCE_COLOR !== undefined && process.env.FORCE_COLOR !== "0") return true;
  return stream.isTTY && process.env.TERM !== "dumb";
}

/** The flags that decide what a build does, as typed. */
export function typedFlags(flags: CommonFlags): readonly string[] {
  const { jobs, slots, keepGoing, force, executor, profile = [], set = [] } = flags;
  return [
    ...(executor === undefined ? [] : [`--executor ${executor}`]),
    ...(jobs === undefined ? [] : [`--jobs ${jobs}`]),
    ...(slots === undefined ? [] : [`--slots ${slots}`]),
    ...(keepGoing === true ? ["--keep-going"] : []),
    ...(force === true ? ["--force"] : []),
    ...profile.map((name) => `--profile ${name}`),
    ...set.map((text) => `--set ${text}`),
  ];
}

/** The request as text. Two builds with the same text ask for the same tasks, if the disk is the same. */
export function snapshotRequest(
  root: string,
  cwd: string,
  targets: readonly string[],
  { profile = [], set = [] }: CommonFlags,
): string {
  return JSON.stringify([relative(root, cwd), targets, profile, set]);
}
