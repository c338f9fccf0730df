/** Commands, flags and their help. Each command's work is in a file of its own, loaded when it is asked for. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CommonFlags } from "./options.ts";
import { VERSION } from "./version.ts";

/** A command's work: targets (or other words) and flags in, exit code out. */
export type Run<F> = (words: readonly string[], flags: F) => Promise<number>;

/** Parses the words after `lq`, runs what they ask for, and returns the exit code. */
export async function createProgram(words: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("lq")
    .description("Builds what is stale of a graph of tasks declared in pipeline.yaml, and says why.")
    .version(VERSION, "-V, --version")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text.replace(/^error: /, "lq: ")) });
  const command = <F extends CommonFlags>(
    name: string,
    summary: string,
    examples: readonly string[],
    load: () => Promise<Run<F>>,
  ) => {
    const created = withCommonFlags(program.command(name).summary(summary).description(summary));
    created.addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`);
    created.action(async (...received: unknown[]) => {
      const named = created.registeredArguments.map((_, i) => received[i]).flat();
      const targets = named.filter((word): word is string => typeof word === "string");
      code = await (await load())(targets, created.opts<F>());
    });
    return created;
  };

  command(
    "build",
    "build targets and all they need (default: the pipeline's `default`)",
    [
      "lq build tables/segthor.md",
      "lq build -n --set splits.seed=7     # what would run, and why",
      "lq build 'scores/btcv/**' -k -j 8",
    ],
    async () => (await import("./build.ts")).runBuild,
  ).argument("[targets...]", "output paths, directories, rules, task ids, or globs of these");

  command(
    "status",
    "what is fresh, stale or missing, and the first causes; runs nothing",
    ["lq status", "lq status tables/ --json"],
    async () => (await import("./status.ts")).runStatus,
  ).argument("[targets...]", "as for build");

  command(
    "clean",
    "remove outputs that lq wrote and nobody edited",
    ["lq clean -n", "lq clean scores/", "lq clean --cache"],
    async () => (await import("./clean.ts")).runClean,
  )
    .argument("[targets...]", "as for build; none: everything that lq wrote")
    .option("--cache", "drop the cache, too");

  command(
    "watch",
    "build, then build again whenever something changes",
    ["lq watch tables/quality.md"],
    async () => (await import("./watch.ts")).runWatch,
  ).argument("[targets...]", "as for build");

  command(
    "why",
    "why a task is not fresh: the chain from the change to the target",
    ["lq why tables/segthor.md", "lq why predict:btcv/stu-s/0001 --set generators.stu-s.channels=6"],
    async () => (await import("./why.ts")).runWhy,
  ).argument("<target>", "as for build");

  command<CommonFlags & { format: string; tasks?: boolean }>(
    "graph",
    "draw the graph",
    ["lq graph --format mermaid", "lq graph tables/quality.md --format dot --tasks | dot -Tsvg > graph.svg"],
    async () => (await import("./graph.ts")).runGraph,
  )
    .argument("[targets...]", "as for build")
    .addOption(
      new Option("--format <format>", "what to write").choices(["dot", "mermaid", "json"]).default("mermaid"),
    )
    .option("--tasks", "a node a task, instead of a node a rule");

  command(
    "log",
    "show the log of a task's last run",
    ["lq log pretrain:btcv/base/split"],
    async () => (await import("./log.ts")).runLog,
  ).argument("<target>", "as for build");

  command(
    "completion",
    "print a completion script for a shell",
    [
      "lq completion bash > ~/.local/share/bash-completion/completions/lq",
      "lq completion zsh > ~/.zfunc/_lq",
      "lq completion fish > ~/.config/fish/completions/lq.fish",
    ],
    async () => (await import("./completion.ts")).runCompletion,
  ).argument("<shell>", "bash, zsh or fish");

  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .action(async (typed: string[]) => {
      code = await (await import("./completion.ts")).runComplete(typed, program);
    });

  try {
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function withCommonFlags(command: Command): Command {
  return command
    .option("-C, --directory <dir>", "the project's folder")
    .option("-j, --jobs <n>", "cores to use", positive)
    .option("-k, --keep-going", "after a failure go on with what does not need the failed task")
    .option("-n, --dry-run", "say what would be done, do nothing")
    .option("-f, --force", "run the targets even when fresh; overwrite edited outputs")
    .option("--profile <name>", "lay profiles/NAME.yaml over the params (repeatable)", append)
    .option("--set <path=value>", "set one param: --set generators.stu-s.channels=6 (repeatable)", append)
    .option("--slots <list>", "pretend slots: gpu=2,cpu=8")
    .option("--json", "for machines: JSON, of builds one event a line")
    .option("-q, --quiet", "only errors")
    .addOption(new Option("--color <when>", "colour").choices(["auto", "always", "never"]).default("auto"));
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return value;
}

function append(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
