/**
 * The command line. Exit codes: 0 all tasks are built; 1 a task failed; 2 the request or the pipeline is wrong; 130,
 * 143, 129 and 138 SIGINT, SIGTERM, SIGHUP and SIGUSR1 interrupted lq; 141 nobody reads the output any more.
 *
 * A build with nothing to do loads only what this file imports. scripts/bundle.mjs compiles this file to one CommonJS
 * file, which Node loads faster than ES modules. So there is no top-level `await`.
 */
import { runWords } from "./cli/run.ts";
import { showUserError } from "./cli/user-error.ts";
import { userErrorOf } from "./model/errors.ts";

let isLosing = false;
const [first, ...words] = process.argv.slice(2);

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(141);
    // EIO means that the terminal was closed. The handler of SIGHUP deals with that.
    if (error.code !== "EIO") reportLostOutput(error);
  });

// The exit code if Node has nothing left to do before lq has finished.
process.exitCode = 13;
void run().then((code) => (process.exitCode = code));

async function run(): Promise<number> {
  // The shell calls this each time that the user presses Tab. It is not in the help.
  if (first === "complete") return (await import("./cli/complete.ts")).runComplete(words);
  return runWords(process.argv.slice(2));
}

/** Reports a failed write to stdout or stderr once and goes on; the build matters more than its messages. */
function reportLostOutput(error: Error): void {
  if (isLosing) return;
  isLosing = true;
  process.once("exit", () => (process.exitCode = 2));
  const userError = userErrorOf(error);
  if (userError === undefined) throw error;
  showUserError(userError, {});
}
