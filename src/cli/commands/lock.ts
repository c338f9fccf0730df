/**
 * `lq lock check [TARGET…]`: compares outputs with lq.lock. `lq lock pull [TARGET…]`: fetches them from a cache.
 * `lq lock merge BASE OURS THEIRS`: merges two versions of lq.lock; git calls it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { openReadonlySession } from "../../session/session.ts";
import { UserError } from "../../model/errors.ts";
import { digestOnDisk, lockedTasks } from "../../run/locked.ts";
import { firstLines } from "../../model/cut-list.ts";
import { LOCK_FILE, parseLock } from "../../lockfile/lockfile.ts";
import { mergeLocks } from "../../lockfile/merge.ts";
import { pull } from "../../run/pull.ts";
import { openProject, startFolder, type CommonFlags, type Project } from "../options.ts";
import { print } from "../print.ts";

/** How many ids to list at most. */
const SHOWN = 20;

export async function runLock([action, ...targets]: readonly string[], flags: CommonFlags): Promise<number> {
  if (action === "merge") return merge(targets, flags);
  const project = openProject(flags);
  const ends = action === "pull" ? await pulled(project, targets, flags) : checked(project, targets);
  const all = Object.entries<readonly string[]>({ ...ends }).filter(([, ids]) => ids.length > 0);
  if (all.length === 0)
    throw new UserError({
      message: `${LOCK_FILE} has no line for these targets`,
      hint: "a build writes one line for each task of the rules with `lock: true`",
    });
  if (flags.json === true) console.log(JSON.stringify({ type: "lock", action, ...ends }));
  else if (flags.quiet !== true) for (const [end, ids] of all) print(describe(end, ids));
  return all.every(([end]) => end === "pulled" || end === "there") ? 0 : 1;
}

/** Writes the result to the second file, as git expects. */
function merge(files: readonly string[], flags: CommonFlags): number {
  const [base, ours, theirs] = files.map((file) => resolve(startFolder(flags), file));
  if (base === undefined || ours === undefined || theirs === undefined || files.length > 3)
    throw new UserError({
      message: `lq lock merge takes three files, not ${files.length}`,
      hint: 'git calls it: git config merge.lq.driver "lq lock merge %O %A %B"',
    });
  const read = (file: string) => {
    if (!existsSync(file)) throw new UserError(`${file} is not there`);
    return parseLock(readFileSync(file, "utf8"), file);
  };
  const { text, conflicts } = mergeLocks(read(base), read(ours), read(theirs));
  writeFileSync(ours, text);
  for (const id of conflicts) console.error(`both branches rebuilt ${id}`);
  return conflicts.length > 0 ? 1 : 0;
}

function pulled({ pipeline, cwd }: Project, targets: readonly string[], { force }: CommonFlags) {
  return pull({ pipeline, cwd, targets, force, notice: (text) => console.error(text) });
}

function checked({ pipeline, cwd }: Project, targets: readonly string[]) {
  const request = { pipeline, cwd, targets };
  const session = openReadonlySession(request);
  const ends: { [end in "there" | "different" | "missing" | "unknown"]: string[] } = {
    there: [],
    different: [],
    missing: [],
    unknown: [],
  };
  for (const { id, line, task } of lockedTasks(session, request)) {
    const digest = task && digestOnDisk(session, task);
    const end =
      task === null
        ? "unknown"
        : digest === null
          ? "missing"
          : digest === line.digest
            ? "there"
            : "different";
    ends[end].push(id);
  }
  return ends;
}

const WORDS: { readonly [end: string]: string } = {
  there: "as the commit says",
  different: "different from what the commit says",
  missing: "missing; `lq lock pull` fetches them if the cache has them",
  unknown: "not in the graph as lq knows it now; `lq status` names the files that may add tasks",
  pulled: "pulled",
  absent: "not in the cache",
  edited: "edited or not made by lq, and kept; -f overwrites",
};

function describe(end: string, ids: readonly string[]): string {
  const what = `${ids.length} ${WORDS[end] ?? end}`;
  if (end === "there") return what;
  return [`${what}:`, ...firstLines(ids, SHOWN, (id) => id)].join("\n  ");
}
