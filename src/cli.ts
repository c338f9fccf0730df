/**
 * The command line. Exit codes: 0 all built; 1 a task failed; 2 the request or the pipeline is wrong;
 * 130, 143, 129 and 138 interrupted by SIGINT, SIGTERM, SIGHUP and SIGUSR1; 141 nobody reads the output any more.
 */
const [first, ...words] = process.argv.slice(2);

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(141);
    // A terminal that was closed; SIGHUP says so, and what to do.
    if (error.code !== "EIO") throw error;
  });

// What a shell asks for at every press of the key: kept out of the help.
process.exitCode =
  first === "complete"
    ? (await import("./cli/complete.ts")).runComplete(words)
    : await (await import("./cli/program.ts")).runProgram(process.argv.slice(2));
