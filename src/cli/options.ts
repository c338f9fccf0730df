/** Opens the project of a command, and chooses how to show what the command does. */
import { UserError } from "../model/errors.ts";
import type { HashOptions } from "../files/hash-many.ts";
import { loadPipeline, PIPELINE_FILE } from "../load/load.ts";
import type { Pipeline } from "../model/model.ts";
import { isLive } from "../report/is-live.ts";
import { didYouMean } from "../load/suggest.ts";
import { parseSlots } from "../schedule/slots-option.ts";
import { showHashing } from "../report/hashing.ts";
import type { ViewOptions } from "../report/listener.ts";
import { nearestProject, startFolder, useColor, type CommonFlags } from "./flags.ts";

export { nearestProject, startFolder, useColor, type CommonFlags } from "./flags.ts";

export interface Project {
  readonly pipeline: Pipeline;
  /** The absolute folder that typed paths start from. */
  readonly cwd: string;
}

/**
 * Opens the project of a command: the nearest folder with a pipeline.yaml, from the start folder upwards.
 * @throws UserError if there is none, or the pipeline is wrong
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
  const pipeline = loadPipeline({ dir, profiles: flags.profile ?? [], set: flags.set ?? [] });
  refuseUnknownSlots(flags.slots, pipeline);
  return { pipeline, cwd };
}

/** @throws UserError for slots that no rule asks for, such as `gpus` */
function refuseUnknownSlots(slots: string | undefined, { rules }: Pipeline): void {
  if (slots === undefined) return;
  const pools = [...rules.values()].flatMap((rule) => [...rule.slots.pools.keys()]);
  for (const name of parseSlots(slots).pools.keys()) {
    if (pools.includes(name)) continue;
    const hint = didYouMean(name, new Set(["cpu", "gpu", "memory", ...pools]));
    throw new UserError({ message: `--slots: no rule has slots of "${name}"`, ...(hint && { hint }) });
  }
}

/** The options of the view that shows a build on stdout. */
export function viewOptions(flags: CommonFlags, pipeline: Pipeline): ViewOptions {
  return {
    json: flags.json === true,
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
    dryRun: flags.dryRun === true,
    color: useColor(process.stdout, flags.color),
    rules: [...pipeline.rules.keys()],
    stdout: process.stdout,
  };
}

/** For commands that print only at the end: shows the progress of hashing sources on stderr, if it is a terminal. */
export function hashingOptions({ json, quiet }: CommonFlags): HashOptions {
  const { stderr } = process;
  if (json === true || quiet === true || !isLive(stderr)) return {};
  return { progress: (each) => showHashing(stderr, each.bytes < each.total ? each : null) };
}
