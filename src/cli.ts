/**
 * The command line. Exit codes: 0 all built; 1 a task failed; 2 the request or the pipeline is wrong;
 * 130 and 143 interrupted by SIGINT and SIGTERM; 141 nobody reads the output any more.
 */
const [first, ...words] = process.argv.slice(2);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(141);
});

// What a shell asks for at every press of the key: kept out of the help.
process.exitCode =
  first === "complete"
    ? (await import("./cli/complete.ts")).runComplete(words)
    : await (await import("./cli/program.ts")).runProgram(process.argv.slice(2));
