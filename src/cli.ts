/**
 * The command line. Exit codes: 0 all built; 1 a task failed; 2 the request or the pipeline is wrong;
 * 130, 143, 129 and 138 interrupted by SIGINT, SIGTERM, SIGHUP and SIGUSR1; 141 nobody reads the output any more.
 *
 * What is imported here is all that a build with nothing to do loads. It is one file, in the format that Node loads
 * soonest, which has no `await` at its top (scripts/bundle.mjs).
 */
import { runWords } from "./cli/run.ts";
import { showUserError } from "./cli/user-error.ts";
import { userErrorOf } from "./model/errors.ts";

let isLosing = false;
const [first, ...words] = process.argv.slice(2);

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(141);
    // A terminal that was closed; SIGHUP says so, and what to do.
    if (error.code !== "EIO") lose(error);
  });

// Where Node finds nothing left to do before lq is done.
process.exitCode = 13;
void run().then((code) => (process.exitCode = code));

async function run(): Promise<number> {
  // What a shell asks for at every press of the key: kept out of the help.
  if (first === "complete") return (await import("./cli/complete.ts")).runComplete(words);
  return runWords(process.argv.slice(2));
}

/** Of output that finds no room, as on a full disk, is told once: a build is more than what it says of itself. */
function lose(error: Error): void {
  if (isLosing) return;
  isLosing = true;
  process.once("exit", () => (process.exitCode = 2));
  const told = userErrorOf(error);
  if (told === undefined) throw error;
  showUserError(told, {});
}
