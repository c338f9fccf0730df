/** The questions that a seal answers, before anything else of the project is read. */
import { allFreshLine } from "../report/lines.ts";
import { painter } from "../report/paint.ts";
import { plainView } from "../report/plain.ts";
import { sealedTasks } from "../seal/seal.ts";
import { nearestProject, sealRequest, startFolder, useColor, type CommonFlags } from "./flags.ts";

export async function runBuild(targets: readonly string[], flags: CommonFlags): Promise<number> {
  if (buildIsSealed(targets, flags)) return 0;
  return (await import("./build.ts")).runBuild(targets, flags);
}

export async function runStatus(targets: readonly string[], flags: CommonFlags): Promise<number> {
  if (statusIsSealed(targets, flags)) return 0;
  return (await import("./status.ts")).runStatus(targets, flags);
}

/** @returns whether `lq build` had nothing to do, and has said so */
function buildIsSealed(targets: readonly string[], flags: CommonFlags): boolean {
  const fresh = flags.force === true || flags.json === true ? null : tasksOf(targets, flags);
  if (fresh === null) return false;
  const { quiet = false, dryRun = false } = flags;
  const paint = painter(useColor(process.stdout, flags.color));
  const view = plainView({ quiet, dryRun, paint, write: (line) => void process.stdout.write(`${line}\n`) });
  const nothing = { ran: 0, restored: 0, failed: 0, skipped: 0 };
  view.listener({ type: "summary", ...nothing, fresh, seconds: performance.now() / 1000 });
  return true;
}

/** @returns whether `lq status` has only fresh tasks, and has said so */
function statusIsSealed(targets: readonly string[], flags: CommonFlags): boolean {
  const fresh = flags.json === true ? null : tasksOf(targets, flags);
  if (fresh === null) return false;
  if (flags.quiet !== true) console.log(allFreshLine(fresh, painter(useColor(process.stdout, flags.color))));
  return true;
}

function tasksOf(targets: readonly string[], flags: CommonFlags): number | null {
  const cwd = startFolder(flags);
  const root = nearestProject(cwd);
  return root === undefined ? null : sealedTasks(root, sealRequest(root, cwd, targets, flags), process.env);
}
