/**
 * Lists the commands of lq: for each its name, its help, its arguments and options, and a function that loads its code.
 *
 * lq calls `load` only for the command that the user typed. So it does not load the code of the other commands, except
 * for the code that answers from a snapshot.
 */
import { Argument, Option } from "commander";
import type { HtmlReportFlags } from "./commands/html-report.ts";
import { EXECUTORS } from "../model/executors.ts";
import { runBuild, runStatus } from "./from-snapshot.ts";
import { positive, days, port, size } from "./parse-values.ts";

export interface CommandSpec {
  readonly name: string;
  /** One line for `lq --help`. */
  readonly about: string;
  readonly args: readonly Argument[];
  readonly options?: readonly Option[];
  readonly examples: readonly string[];
  /** Text below the examples in the command's own help. */
  readonly notes?: string;
  readonly load: () => CommandBody | Promise<CommandBody>;
}

/**
 * Runs a command. `flags` has the common flags and the options of the spec. Its type is `never`, because each command
 * declares its own type for them.
 * @returns the exit code
 */
export type CommandBody = (words: readonly string[], flags: never) => Promise<number>;

const commands = () => import("./commands/index.ts");

const executor = () =>
  new Option("--executor <where>", "where tasks run (default: what config.yaml says, else local)").choices(
    EXECUTORS,
  );

const targets = (about = "as for build") => new Argument("[targets...]", about);
const target = (about = "as for build") => new Argument("<target>", about);

const page = new Option("--ui", "also serve the page, as `lq ui` does, until this command ends");

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "build",
    about: "bring targets, and everything that they need, up to date",
    args: [targets("output paths, directories, rules, task ids, or globs of these")],
    options: [executor(), page],
    examples: [
      "lq build                              # what the pipeline names as `default`",
      "lq build tables/segthor.md",
      "lq build 'scores/btcv/**' predict -k -j 8",
      "lq build -n --set splits.seed=7       # what would run, and why",
      "lq build --profile paper --slots gpu=2",
      "lq build --executor slurm              # as jobs of the cluster",
    ],
    load: () => runBuild,
  },
  {
    name: "accept",
    about: "declare stale outputs up to date as they are; runs nothing",
    args: [targets("as for build; at least one")],
    examples: [
      "lq accept -n models/                  # what would be accepted, and which changes it ignores",
      "lq accept models/stu-b.onnx           # this output, and everything it depends on",
      "lq trace models/stu-b.onnx            # says that it was accepted, when, and what it was made with",
    ],
    notes: `
With this command you state that a run would make the same outputs, for example after a change to a comment, a log
line, or the place of a function. It accepts every change that made the outputs stale, so look with -n first. Do not
use it after a change of params, data or method: tables would then name inputs that their numbers do not come from.
lq marks accepted outputs permanently.`,
    load: async () => (await commands()).runAccept,
  },
  {
    name: "status",
    about: "show which tasks are fresh, stale, missing, restorable, pending or failed, and why; runs nothing",
    args: [targets()],
    examples: ["lq status", "lq status tables/ --json", "lq status --set generators.stu-s.channels=7"],
    load: () => runStatus,
  },
  {
    name: "plan",
    about: "show what a build would run, why, and how long it would take, here or elsewhere; runs nothing",
    args: [targets()],
    examples: [
      "lq plan",
      "lq plan tables/segthor.md --slots gpu=8:h100:80GiB -j 64",
      "lq plan --set generators.stu-s.channels=7   # what a change would cost",
      "lq plan --json | jq .makespan",
    ],
    load: async () => (await commands()).runPlan,
  },
  {
    name: "clean",
    about: "remove outputs that lq wrote and nobody has edited since",
    args: [targets("as for build; none: everything that lq wrote")],
    options: [
      new Option("--cache", "remove the cache as well"),
      new Option("--orphans", "remove only outputs that no task makes any more"),
    ],
    examples: [
      "lq clean -n                           # what would be removed",
      "lq clean scores/",
      "lq clean --orphans                    # outputs of rules that are gone",
      "lq clean --cache",
    ],
    load: async () => (await commands()).runClean,
  },
  {
    name: "watch",
    about: "build, then build again whenever something changes",
    args: [targets()],
    options: [executor(), page],
    examples: ["lq watch", "lq watch tables/quality.md -k"],
    load: async () => (await import("./commands/watch.ts")).runWatch,
  },
  {
    name: "ui",
    about: "serve a page that shows the project in a browser, on this machine only, until Ctrl-C",
    args: [],
    options: [
      new Option("--port <n>", "port (default: 8474 or the next free one; 0: any)").argParser(port),
      new Option("--socket <path>", "listen on a unix socket that only you can open, in place of a port"),
      new Option("--open", "open the page in a browser"),
    ],
    examples: [
      "lq ui --open",
      "lq ui --port 0 --json",
      "lq ui --socket ~/.lq.sock              # then, at home: ssh -N -L 8474:/home/ann/.lq.sock HOST",
    ],
    load: async () => (await import("./commands/ui.ts")).runUi,
  },
  {
    name: "why",
    about: "show why a task is not fresh: the chain from it to what changed",
    args: [target()],
    examples: [
      "lq why tables/segthor.md",
      "lq why predict-foundation:btcv/stu-s/0001 --set generators.stu-s.channels=7",
    ],
    load: async () => (await commands()).runWhy,
  },
  {
    name: "graph",
    about: "print the graph for another program to draw",
    args: [targets()],
    options: [
      new Option("--format <format>", "what to print").choices(["dot", "mermaid", "json"]).default("mermaid"),
      new Option("--tasks", "draw every task (above 200 tasks, dot and mermaid draw rules)"),
    ],
    examples: [
      "lq graph --format mermaid",
      "lq graph tables/quality.md --format dot --tasks | dot -Tsvg > graph.svg",
    ],
    load: async () => (await commands()).runGraph,
  },
  {
    name: "log",
    about: "print what a task's last run printed; the log's path goes to stderr",
    args: [target()],
    examples: ["lq log predict-foundation:btcv/stu-s/0001"],
    load: async () => (await commands()).runLog,
  },
  {
    name: "cache",
    about: "check, shrink or measure the cache, or exchange results with the remote cache",
    args: [
      new Argument("<action>", "what to do").choices(["verify", "gc", "stats", "push", "pull"]),
      targets("for push and pull: as for build"),
    ],
    options: [
      new Option("--keep-size <size>", "gc: largest size that the cache may have, as in 50GiB").argParser(
        size,
      ),
      new Option("--keep-days <n>", "gc: remove results that were not used for this many days").argParser(
        days,
      ),
    ],
    examples: [
      "lq cache stats",
      "lq cache verify                        # hash everything; move what is damaged aside",
      "lq cache gc --keep-size 50GiB --keep-days 30 -n",
      "lq cache push tables/                  # send what was made here to the remote cache",
      "lq cache pull                          # fetch all results that it has; runs nothing, places nothing",
    ],
    load: async () => (await commands()).runCache,
  },
  {
    name: "lock",
    about: "compare outputs with lq.lock, which is in git, or fetch them from a cache",
    args: [
      new Argument("<action>", "what to do").choices(["check", "pull", "merge"]),
      targets("as for build; none: everything that lq.lock names; for merge: three files"),
    ],
    examples: [
      "lq lock check",
      "lq lock pull checkpoints/",
      'git config merge.lq.driver "lq lock merge %O %A %B"   # with `lq.lock merge=lq` in .gitattributes',
    ],
    load: async () => (await commands()).runLock,
  },
  {
    name: "history",
    about: "list the last builds, or the runs of targets, newest first",
    args: [targets("as for build; none: the builds themselves")],
    options: [
      new Option("--most <n>", "how many lines to print at most").argParser(positive).default(20),
      new Option("--params", "how the runs of a target differ: params, code, packages, sources"),
      new Option("--where <name=value...>", "with --params: only runs with this value"),
      new Option("--csv", "with --params: print CSV"),
    ],
    examples: [
      "lq history",
      "lq history checkpoints/btcv/stu-s.safetensors --most 5",
      "lq history tables/segthor.md --params",
      "lq history tables/segthor.md --params --where training.epochs=30",
    ],
    load: async () => (await commands()).runHistory,
  },
  {
    name: "report",
    about: "show where the time of a build went, or write a report of it for browsers",
    args: [],
    options: [
      new Option("--build <number>", "number of the build in `lq history` (default: the last)").argParser(
        positive,
      ),
      new Option("--chrome-trace <file>", "also write trace events, which a browser can draw"),
      new Option(
        "--html <file>",
        "write one file that a browser shows, with results, timeline and failures",
      ).conflicts("chromeTrace"),
      new Option("--limit <size>", "largest size of that file (default: 20MiB)").argParser(size),
    ],
    examples: [
      "lq report",
      "lq report --html report.html",
      "lq report --build 12 --chrome-trace build.json   # open it in ui.perfetto.dev",
    ],
    load: () => runReport,
  },
  {
    name: "diff",
    about: "compare two recorded runs: inputs, params, code and outputs",
    args: [
      new Argument("<a>", "a target, or TARGET@BUILD"),
      new Argument("[b]", "a target, TARGET@BUILD, or @BUILD for the target of <a>"),
    ],
    examples: [
      "lq diff tables/segthor.md              # the run before the last, and the last",
      "lq diff tables/segthor.md@12 @14       # the state after build 12, and after build 14",
      "lq diff models/stu-s.onnx models/stu-b.onnx",
    ],
    load: async () => (await commands()).runDiff,
  },
  {
    name: "trace",
    about: "show what an output, or one cell of a table, was made from: runs, code, params, sources",
    args: [target("as for build; one task")],
    options: [new Option("--cell <names...>", "the cell's row, column and so on, in any order")],
    examples: [
      "lq trace checkpoints/segthor/amos/stu-b.safetensors",
      'lq trace tables/segthor.md --cell "STU B" AMOS Dice',
    ],
    load: async () => (await commands()).runTrace,
  },
  {
    name: "run",
    about: "run one task in this terminal, as a build would, and record nothing",
    args: [target("as for build; one task")],
    options: [
      new Option(
        "--shell",
        "open a shell instead, with $LQ_IN_… and $LQ_OUT_…, and the command in its history",
      ),
      new Option("--print", "print a script that runs the command in the same environment"),
      new Option("--record", "record the run, as a build does"),
    ],
    examples: [
      "lq run segment:case_03                 # breakpoint() works",
      "lq run labels/case_03.nii.gz --shell",
      "lq run segment:case_03 --print > again.sh",
    ],
    load: async () => (await commands()).runRun,
  },
  {
    name: "audit",
    about: "run tasks under strace and show what they read and write that their rules do not declare",
    args: [targets()],
    examples: ["lq audit segment:case_03", "lq audit --json | jq -r .path"],
    notes: `
Inputs must be there, so build them first. lq throws away what the tasks write. Exit code 1: a file is not declared.`,
    load: async () => (await commands()).runAudit,
  },
  {
    name: "jobs",
    about: "list the jobs of this project that are queued or running on Slurm, or end them",
    args: [],
    options: [new Option("--cancel", "end them all")],
    examples: ["lq jobs", "lq jobs --json", "lq jobs --cancel"],
    load: async () => (await import("./commands/jobs.ts")).runJobs,
  },
  {
    name: "init",
    about: "write a small project that builds; replaces no file",
    args: [new Argument("[folder]", "where (default: this folder)")],
    options: [
      new Option("--language <language>", "language of its tasks")
        .choices(["python", "typescript"])
        .default("python"),
    ],
    examples: ["lq init", "lq init segmentation --language typescript", "lq init -n"],
    load: async () => (await commands()).runInit,
  },
  {
    name: "completion",
    about: "print a completion script for a shell",
    args: [new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"])],
    examples: [
      "lq completion bash > ~/.local/share/bash-completion/completions/lq",
      "lq completion zsh > ~/.zfunc/_lq",
      "lq completion fish > ~/.config/fish/completions/lq.fish",
    ],
    load: async () => (await commands()).runCompletion,
  },
];

/** A report for browsers needs the code of the page, which is not part of the other commands. */
async function runReport(words: readonly string[], flags: HtmlReportFlags): Promise<number> {
  if (flags.html === undefined) return (await commands()).runReport(words, flags);
  return (await import("./commands/html-report.ts")).runHtmlReport(flags.html, flags);
}
