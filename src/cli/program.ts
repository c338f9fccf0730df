/**
 * Commands, flags and their help. The work of each command is in a file of its own, loaded when it is asked for, but
 * for what a snapshot answers.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { bytesOf, sizeMeant } from "../system/sizes.ts";
import type { CommonFlags } from "./options.ts";
import { runBuild, runStatus } from "./from-snapshot.ts";
import { refuse, WRONG } from "./user-error.ts";
import { VERSION } from "./version.ts";

type CommandBody<F> = (words: readonly string[], flags: F) => Promise<number>;

const WHEN_TO_ACCEPT = `
It is your word that a run would make the same: for a comment, a log line, a moved function. Whatever made the outputs
stale is accepted with them, so look with -n first. Do not use it where params, data or the method have changed: tables
would then name what their numbers do not come from. What was accepted is marked as such for good.`;

/** Parses the words after `lq`, does what they ask for, and returns the exit code. */
export async function runProgram(words: readonly string[]): Promise<number> {
  const { program, exitCode } = createProgram();
  try {
    await program.parseAsync(words, { from: "user" });
    return exitCode();
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // What it says is on stderr already.
      if (words.includes("--json"))
        console.log(JSON.stringify({ type: "error", message: error.message.replace(/^error: /, "") }));
      return WRONG;
    }
    return refuse(error, program.opts());
  }
}

/** Flags are the program's own, so that they may stand before the command as well as after it. */
export function createProgram(): { readonly program: Command; readonly exitCode: () => number } {
  let code = 0;
  const program = withCommonFlags(new Command("lq"))
    .description("Builds what is stale in a graph of tasks that pipeline.yaml declares, and says why.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help, of lq or of a command")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", examples("lq build", "lq status", "lq why tables/segthor.md", "lq build --help"))
    .exitOverride();

  const command = <F extends CommonFlags>(
    name: string,
    about: string,
    load: () => CommandBody<F> | Promise<CommandBody<F>>,
    ...lines: string[]
  ): Command => {
    const created = program
      .command(name)
      .description(about)
      .addHelpText("after", examples(...lines));
    return created.action(async () => {
      const run = await load();
      code = await run(created.args, created.optsWithGlobals());
    });
  };

  command(
    "build",
    "make targets, and all they need, fresh",
    () => runBuild,
    "lq build                              # what the pipeline names as `default`",
    "lq build tables/segthor.md",
    "lq build 'scores/btcv/**' predict -k -j 8",
    "lq build -n --set splits.seed=7       # what would run, and why",
    "lq build --profile paper --slots gpu=2",
  ).argument("[targets...]", "output paths, directories, rules, task ids, or globs of these");

  command(
    "accept",
    "let outputs stand as they are, though they are stale; runs nothing",
    async () => (await import("./commands/index.ts")).runAccept,
    "lq accept -n models/                  # what would be accepted, and in spite of what",
    "lq accept models/stu-b.onnx           # it, and all it depends on",
    "lq trace models/stu-b.onnx            # says that it was accepted, when, and what it was made with",
  )
    .argument("[targets...]", "as for build; at least one")
    .addHelpText("after", WHEN_TO_ACCEPT);

  command(
    "status",
    "what is fresh, stale, missing, restorable, pending or failed, and why; runs nothing",
    () => runStatus,
    "lq status",
    "lq status tables/ --json",
    "lq status --set generators.stu-s.channels=6",
  ).argument("[targets...]", "as for build");

  command(
    "plan",
    "what a build would run, why, and how long it would take, here or on a pretended machine; runs nothing",
    async () => (await import("./commands/index.ts")).runPlan,
    "lq plan",
    "lq plan tables/segthor.md --slots gpu=8:h100:80GiB -j 64",
    "lq plan --set generators.stu-s.channels=6   # what a change would cost",
    "lq plan --json | jq .makespan",
  ).argument("[targets...]", "as for build");

  command(
    "clean",
    "remove outputs that lq wrote and nobody has edited since",
    async () => (await import("./commands/index.ts")).runClean,
    "lq clean -n                           # what would be removed",
    "lq clean scores/",
    "lq clean --cache",
  )
    .argument("[targets...]", "as for build; none: everything that lq wrote")
    .option("--cache", "remove the cache as well");

  command(
    "watch",
    "build, then build again whenever something changes",
    async () => (await import("./commands/watch.ts")).runWatch,
    "lq watch",
    "lq watch tables/quality.md -k",
  ).argument("[targets...]", "as for build");

  command(
    "why",
    "why a task is not fresh: the chain from it to what changed",
    async () => (await import("./commands/index.ts")).runWhy,
    "lq why tables/segthor.md",
    "lq why predict:btcv/stu-s/0001 --set generators.stu-s.channels=6",
  ).argument("<target>", "as for build");

  command(
    "graph",
    "print the graph for another program to draw",
    async () => (await import("./commands/index.ts")).runGraph,
    "lq graph --format mermaid",
    "lq graph tables/quality.md --format dot --tasks | dot -Tsvg > graph.svg",
  )
    .argument("[targets...]", "as for build")
    .addOption(
      new Option("--format <format>", "what to print").choices(["dot", "mermaid", "json"]).default("mermaid"),
    )
    .option("--tasks", "draw every task (above 200 tasks dot and mermaid draw rules)");

  command(
    "log",
    "print what a task's last run printed; the log's path goes to stderr",
    async () => (await import("./commands/index.ts")).runLog,
    "lq log predict:btcv/stu-s/0001",
  ).argument("<target>", "as for build");

  command(
    "cache",
    "look after the cached contents: verify, gc, stats",
    async () => (await import("./commands/index.ts")).runCache,
    "lq cache stats",
    "lq cache verify                        # hash everything; move what is damaged aside",
    "lq cache gc --keep-size 50GiB --keep-days 30 -n",
  )
    .addArgument(program.createArgument("<action>", "what to do").choices(["verify", "gc", "stats"]))
    .option("--keep-size <size>", "gc: bytes that the cache may have, as in 50GiB", size)
    .option("--keep-days <n>", "gc: days since a cached result was last of use", days);

  command(
    "lock",
    "compare outputs with lq.lock, which git has, or bring them from a cache",
    async () => (await import("./commands/index.ts")).runLock,
    "lq lock check",
    "lq lock pull checkpoints/",
    'git config merge.lq.driver "lq lock merge %O %A %B"   # with `lq.lock merge=lq` in .gitattributes',
  )
    .addArgument(program.createArgument("<action>", "what to do").choices(["check", "pull", "merge"]))
    .argument("[targets...]", "as for build; none: all that lq.lock names; of merge, three files");

  command(
    "history",
    "the last builds, or the runs of what targets name, newest first",
    async () => (await import("./commands/index.ts")).runHistory,
    "lq history",
    "lq history checkpoints/btcv/stu-s.safetensors --most 5",
  )
    .argument("[targets...]", "as for build; none: the builds themselves")
    .addOption(new Option("--most <n>", "lines to print").argParser(positive).default(20));

  command(
    "report",
    "where the time of a build went",
    async () => (await import("./commands/index.ts")).runReport,
    "lq report",
    "lq report --build 12 --chrome-trace build.json   # open it in ui.perfetto.dev",
  )
    .option("--build <number>", "as `lq history` numbers it (default: the last)", positive)
    .option("--chrome-trace <file>", "also write trace events, to be drawn by a browser");

  command(
    "diff",
    "what differs between two recorded runs: inputs, params, code, and how far the outputs do",
    async () => (await import("./commands/index.ts")).runDiff,
    "lq diff tables/segthor.md              # the run before, and now",
    "lq diff tables/segthor.md@12 @14       # as of the end of builds 12 and 14",
    "lq diff models/stu-s.onnx models/stu-b.onnx",
  )
    .argument("<a>", "a target, or TARGET@BUILD")
    .argument("[b]", "a target, TARGET@BUILD, or @BUILD for the first's target");

  command(
    "trace",
    "what an output, or one cell of a table, was made from: runs, code, params, sources",
    async () => (await import("./commands/index.ts")).runTrace,
    "lq trace checkpoints/segthor/amos/stu-b.safetensors",
    'lq trace tables/segthor.md --cell "STU B" AMOS Dice',
  )
    .argument("<target>", "as for build; one task")
    .option("--cell <names...>", "the cell's row, column and so on, in any order");

  command(
    "completion",
    "print a completion script for a shell",
    async () => (await import("./commands/index.ts")).runCompletion,
    "lq completion bash > ~/.local/share/bash-completion/completions/lq",
    "lq completion zsh > ~/.zfunc/_lq",
    "lq completion fish > ~/.config/fish/completions/lq.fish",
  ).addArgument(program.createArgument("<shell>", "the shell").choices(["bash", "zsh", "fish"]));

  return { program, exitCode: () => code };
}

function withCommonFlags(program: Command): Command {
  return program
    .option(
      "-C, --directory <dir>",
      "start in DIR; the project is the nearest pipeline.yaml from there upwards",
    )
    .option("-j, --jobs <n>", "cores to use (default: all)", positive)
    .option("-k, --keep-going", "after a failure go on with what does not need the failed task")
    .option("-n, --dry-run", "say what would be done, do nothing")
    .option("-f, --force", "run the targets even when fresh; overwrite outputs that were edited")
    .option("--profile <name>", "lay profiles/NAME.yaml over the params (repeatable)", append)
    .option("--set <path=value>", "set one param, as in --set training.epochs=3 (repeatable)", append)
    .option("--slots <amounts>", "pretend slots, as in --slots gpu=2:h100:80GiB,memory=16GiB")
    .option("--json", "print JSON, one event a line")
    .option("-q, --quiet", "print failures and warnings only")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("Give a whole number, 1 or more.");
  return value;
}

function size(text: string): number {
  const bytes = bytesOf(text);
  if (bytes === null) throw new InvalidArgumentError("Write it as in 512MiB or 50GiB.");
  const meant = sizeMeant(text);
  if (meant !== null) throw new InvalidArgumentError(`That would be ${text} bytes. Write ${meant}.`);
  return bytes;
}

function days(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("Give a number, 0 or more.");
  return value;
}

function append(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
