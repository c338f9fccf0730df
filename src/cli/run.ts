/** Runs the command that the words after `lq` name. */
import { runBuild, runStatus } from "./from-snapshot.ts";
import { refuse } from "./user-error.ts";
import { refuseUnknownAreas } from "../system/debug.ts";

/** @returns the exit code */
export async function runWords(words: readonly string[]): Promise<number> {
  const [command, ...targets] = words;
  // The most frequent requests need no parser. Loading it takes a tenth of the time of a build with nothing to do.
  const run = command === "build" ? runBuild : command === "status" ? runStatus : null;
  try {
    refuseUnknownAreas();
    if (run === null || targets.some((word) => word.startsWith("-")))
      return await (await import("./program.ts")).runProgram(words);
    return await run(targets, {});
  } catch (error) {
    return refuse(error, {});
  }
}
