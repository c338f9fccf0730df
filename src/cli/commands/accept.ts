/** `lq accept TARGET…`: takes what is in place for what a build would make. */
import { UserError } from "../../model/errors.ts";
import { runBuild } from "./build.ts";
import type { CommonFlags } from "../options.ts";

export function runAccept(targets: readonly string[], flags: CommonFlags): Promise<number> {
  if (targets.length === 0)
    throw new UserError({
      message: "lq accept needs a target: what stands is for you to say",
      hint: "as in lq accept -n models/, which shows what would be accepted; `lq status` names what is stale",
    });
  if (flags.force === true)
    throw new UserError({
      message:
        "-f has no meaning for lq accept: it neither runs what is fresh nor overwrites or accepts edits",
      hint: "lq build -f TARGET runs it",
    });
  return runBuild(targets, flags, null, true);
}
