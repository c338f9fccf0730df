/** Answers `build` and `status` from a snapshot if possible, before lq reads anything else of the project. */
import { noCounts } from "../model/counts.ts";
import { allFreshLine } from "../report/lines.ts";
import { painter } from "../report/paint.ts";
import { plainView } from "../report/plain.ts";
import { askSnapshot, type Asked, type SnapshotHead } from "../snapshot/snapshot.ts";
import { print } from "./print.ts";
import { nearestProject, snapshotRequest, startFolder, useColor, type CommonFlags } from "./flags.ts";

export async function runBuild(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const asked = flags.force === true ? null : ask(targets, flags);
  if (asked === null || asked.changed.length > 0)
    return (await import("./commands/index.ts")).runBuild(targets, flags, asked);
  tellBuilt(asked.snapshot.head, flags);
  return 0;
}

export async function runStatus(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const asked = ask(targets, flags);
  if (asked === null || asked.changed.length > 0)
    return (await import("./commands/index.ts")).runStatus(targets, flags);
  const { tasks, notices } = asked.snapshot.head;
  if (flags.quiet !== true)
    print([allFreshLine(tasks, painter(useColor(process.stdout, flags.color))), ...notices].join("\n"));
  return 0;
}

/** Prints the summary of a build that had nothing to do. */
function tellBuilt({ tasks, notices }: SnapshotHead, flags: CommonFlags): void {
  const { quiet = false, dryRun = false } = flags;
  const paint = painter(useColor(process.stdout, flags.color));
  const view = plainView({
    quiet,
    verbose: false,
    dryRun,
    paint,
    write: (line) => void process.stdout.write(`${line}\n`),
  });
  for (const text of notices) view.listener({ type: "notice", level: "info", text });
  const counts = { ...noCounts(), uploaded: 0, downloaded: 0, fresh: tasks };
  view.listener({ type: "summary", ...counts, seconds: process.uptime() });
}

/** Slots that every project has. Only the pipeline knows whether others are spelt right. */
const COMMON_SLOTS = /^\s*((cpu|gpu|memory)\s*=[^,]*(,\s*|$))*$/;

/** Null if there is no usable snapshot, and with --json, which prints every task. */
function ask(targets: readonly string[], flags: CommonFlags): Asked | null {
  if (flags.json === true || !COMMON_SLOTS.test(flags.slots ?? "")) return null;
  const cwd = startFolder(flags);
  const root = nearestProject(cwd);
  return root === undefined
    ? null
    : askSnapshot(root, snapshotRequest(root, cwd, targets, flags), process.env);
}
