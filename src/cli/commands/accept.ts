/** `lq accept TARGET…`: records the outputs in place as what a build would make. */
import { UserError } from "../../model/errors.ts";
import { ACCEPT } from "../../run/mode.ts";
import { runBuild } from "./build.ts";
import type { CommonFlags } from "../options.ts";

export function runAccept(targets: readonly string[], flags: CommonFlags): Promise<number> {
  if (targets.length === 0)
    throw new UserError({
      message: "lq accept needs a target: you say which outputs to accept",
      hint: "as in `lq accept -n models/`, which shows what would be accepted; `lq status` lists what is stale",
    });
  if (flags.force === true)
    throw new UserError({
      message:
        "-f has no meaning for lq accept, which runs nothing and never overwrites or accepts edited outputs",
      hint: "`lq build -f TARGET` runs the target",
    });
  return runBuild(targets, flags, null, ACCEPT);
}
