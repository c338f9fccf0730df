/** Does what the words after `lq` ask for. */
import { runBuild, runStatus } from "./from-snapshot.ts";
import { refuse } from "./user-error.ts";

/** @returns the exit code */
export async function runWords(words: readonly string[]): Promise<number> {
  const [command, ...targets] = words;
  // What is asked most often needs no parser, which takes a tenth of the time that it takes to see that all is fresh.
  const run = command === "build" ? runBuild : command === "status" ? runStatus : null;
  if (run === null || targets.some((word) => word.startsWith("-")))
    return (await import("./program.ts")).runProgram(words);
  try {
    return await run(targets, {});
  } catch (error) {
    return refuse(error, {});
  }
}
