/** Makes the parser of the command line, from the commands of command-list.ts and the flags that all of them share. */
import { Command, CommanderError, Option } from "commander";
import { COMMANDS, type CommandSpec } from "./command-list.ts";
import { append, positive } from "./parse-values.ts";
import { refuse, WRONG } from "./user-error.ts";
import { VERSION } from "./version.ts";

/** Parses the words after `lq`, runs the command, and returns the exit code. */
export async function runProgram(words: readonly string[]): Promise<number> {
  const { program, exitCode } = createProgram();
  try {
    await program.parseAsync(words, { from: "user" });
    return exitCode();
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // Commander has printed the message on stderr already.
      if (error.code === "commander.unknownCommand" && !error.message.includes("Did you mean"))
        process.stderr.write(`  hint: to build a target, write lq build ${words.join(" ")}\n`);
      if (words.includes("--json"))
        console.log(JSON.stringify({ type: "error", message: error.message.replace(/^error: /, "") }));
      return WRONG;
    }
    return refuse(error, program.opts());
  }
}

/** The common flags belong to the program, so that a user may write them before or after the command. */
export function createProgram(): { readonly program: Command; readonly exitCode: () => number } {
  let code = 0;
  const program = withCommonFlags(new Command("lq"))
    .description(
      "Builds the stale tasks of a graph that pipeline.yaml declares, and says why they are stale.",
    )
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help for lq or for a command")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      examplesText(["lq build", "lq status", "lq why tables/segthor.md", "lq build --help"]),
    )
    .exitOverride();
  for (const spec of COMMANDS) addCommand(program, spec, (result) => (code = result));
  return { program, exitCode: () => code };
}

function addCommand(program: Command, spec: CommandSpec, ended: (code: number) => void): void {
  const { name, about, args, options = [], examples, notes, load } = spec;
  const command = program.command(name).description(about).addHelpText("after", examplesText(examples));
  for (const arg of args) command.addArgument(arg);
  for (const option of options) command.addOption(option);
  if (notes !== undefined) command.addHelpText("after", notes);
  command.action(async () => {
    const run = await load();
    ended(await run(command.args, command.optsWithGlobals<never>()));
  });
}

function withCommonFlags(program: Command): Command {
  return program
    .option(
      "-C, --directory <dir>",
      "start in DIR; the project is the nearest folder with a pipeline.yaml, from DIR upwards",
    )
    .option("-j, --jobs <n>", "cores to use (default: all)", positive)
    .option("-k, --keep-going", "after a failure, go on with tasks that do not depend on the failed one")
    .option("-n, --dry-run", "say what lq would do; do nothing")
    .option(
      "-f, --force",
      "run the targets even if they are fresh; replace outputs that were edited or not made by lq",
    )
    .option("--profile <name>", "override params with profiles/NAME.yaml (repeatable)", append)
    .option(
      "--set <path=value>",
      "set one param, as in --set training.pretrain.epochs=3 (repeatable)",
      append,
    )
    .option("--slots <amounts>", "assume these slots, as in --slots gpu=2:h100:80GiB,memory=16GiB")
    .option("--json", "print JSON, one event on each line")
    .option("-q, --quiet", "print failures and warnings only")
    .option("-v, --verbose", "print the command of each task that starts or, with -n, would run")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"));
}

function examplesText(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
