/** Reads the builds that src/history/build-log.ts wrote. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../model/errors.ts";
import { HISTORY } from "../model/layout.ts";
import { buildFile, buildNumbers } from "./build-files.ts";
import { HistoryLine, isDone, type SummaryLine, type TaskLine } from "./lines.ts";

export interface Build {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly targets: readonly string[];
  /** In the order in which the tasks ended. */
  readonly tasks: readonly TaskLine[];
  /** Null: the build was killed, or is still running. */
  readonly summary: SummaryLine | null;
}

/** Every recorded build, newest first. It reads each file only when the caller asks for the next build. */
export function* builds(root: string): Generator<Build> {
  for (const number of buildNumbers(join(root, HISTORY)).reverse()) {
    const build = readBuild(root, number);
    if (build !== null) yield build;
  }
}

/** @throws UserError if there is no such build */
export function buildNumbered(root: string, number: number | undefined): Build {
  const [found] = number === undefined ? builds(root) : [readBuild(root, number)];
  if (found) return found;
  throw new UserError({
    message: number === undefined ? "no build is on record yet" : `no build ${number} is on record`,
    hint:
      number === undefined ? "`lq build` records one when it has something to do" : "`lq history` lists them",
  });
}

/**
 * The last run of each task that put its outputs in place.
 * @param all newest first
 * @param upTo leave out builds after this one
 */
export function lastRuns(
  all: Iterable<Build>,
  upTo = Infinity,
): ReadonlyMap<string, { readonly build: Build; readonly run: TaskLine }> {
  const runs = new Map<string, { readonly build: Build; readonly run: TaskLine }>();
  for (const build of all) {
    if (build.number > upTo) continue;
    for (const run of build.tasks) if (isDone(run) && !runs.has(run.task)) runs.set(run.task, { build, run });
  }
  return runs;
}

function readBuild(root: string, number: number): Build | null {
  const file = join(root, HISTORY, buildFile(number));
  if (!existsSync(file)) return null;
  const [first, ...rest] = readFileSync(file, "utf8").split("\n").flatMap(readLine);
  if (first?.type !== "build") return null;
  const tasks = rest.filter((line) => line.type === "task");
  const summary = rest.find((line) => line.type === "summary") ?? null;
  return { number, started: first.started, targets: first.targets, tasks, summary };
}

/** Ignores a line that a kill cut short, or that lq did not write. */
function readLine(text: string): HistoryLine[] {
  try {
    const { data } = HistoryLine.safeParse(JSON.parse(text));
    return data === undefined ? [] : [data];
  } catch {
    return [];
  }
}
