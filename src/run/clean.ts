/** Clean: removes what lq wrote and nobody changed since. It removes nothing else. */
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { TargetPattern } from "../select/target.ts";
import { mayBeMade } from "../plan/orphans.ts";
import { removeOutput } from "../plan/remove-output.ts";
import { openStore } from "../session/open-store.ts";
import { diskOf } from "../session/session.ts";
import type { Request } from "../session/request.ts";
import { CACHE } from "../model/paths.ts";
import { expand } from "../expand/expand.ts";
import { FileDigests } from "../files/files.ts";
import { LOCK } from "../model/layout.ts";
import { acquireLock } from "../state/lock.ts";
import { differingFile, refusalText, recordedOutputState, straysOf } from "../record/outputs.ts";
import type { Owner } from "../state/owners.ts";
import { State } from "../state/state.ts";
import { remove } from "../files/remove.ts";
import { expandFromDisk } from "./locked.ts";

export interface CleanRequest extends Request {
  /** `--orphans`: remove only outputs that no task makes any more. */
  readonly orphans?: boolean | undefined;
  /** `--cache`: remove the whole cache too. */
  readonly cache?: boolean | undefined;
  /** `-n` */
  readonly dryRun?: boolean | undefined;
  /** Called with the process of another build when that build has to end first. */
  readonly waiting?: ((holder: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Cleaned {
  /** Outputs that were (or, in a dry run, would be) removed, sorted. */
  readonly removed: readonly string[];
  /** Outputs that lq kept because somebody edited them, sorted. */
  readonly kept: readonly string[];
  /** For each of `kept` the file that was edited or added: the output itself, or a file in it. */
  readonly edits: readonly string[];
  /** Outputs that lq kept because it cannot read them, with the system's reason, sorted. They may have been edited. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** Whether the cache was (or would be) removed. */
  readonly cache: boolean;
}

/** A target is an output, a directory, a rule, a task id, or a glob of these. Without targets, it cleans everything. */
export async function clean(request: CleanRequest): Promise<Cleaned> {
  const { root } = request.pipeline;
  if (request.dryRun === true || !existsSync(join(root, CACHE))) {
    return cleanOutputs(request, State.open(root, { readonly: true }), false);
  }
  const lock = await acquireLock(root, request.waiting ?? (() => undefined), request.signal);
  try {
    const state = State.open(root);
    const cleaned = cleanOutputs(request, state, true);
    state.close();
    if (cleaned.cache) dropCache(root);
    return cleaned;
  } finally {
    lock.release();
  }
}

function cleanOutputs(request: CleanRequest, state: State, forReal: boolean): Cleaned {
  const { root } = request.pipeline;
  const files = new FileDigests(root, state, diskOf(request.pipeline));
  const store = openStore(request.pipeline, () => undefined);
  const matches = matcher(request);
  const isMade = request.orphans === true ? madeBy(request) : () => false;
  const isWanted = (path: string, owner: Owner): boolean => matches(path, owner) && !isMade(path);
  const removed: string[] = [];
  const kept: string[] = [];
  const edits: string[] = [];
  const unreadable: { path: string; why: string }[] = [];
  for (const path of [...state.ownedPaths()].sort()) {
    const owner = state.owner(path);
    if (owner === undefined || !isWanted(path, owner)) continue;
    const found = recordedOutputState({ root, files }, owner.output);
    if (found === "edited") {
      kept.push(path);
      edits.push(differingFile({ root, state, files }, owner.id, path));
    } else if (found === "unreadable") unreadable.push({ path, why: refusalText({ root, files }, path) });
    else {
      if (found === "intact") removed.push(path);
      if (!forReal) continue;
      if (owner.key !== null) store.touchAction(owner.key);
      if (found === "intact") removeOutput(root, path, straysOf({ root, files }, owner.output));
      state.forgetOutput(path);
    }
  }
  return { removed, kept, edits, unreadable, cache: request.cache === true };
}

/** Whether a task makes a path, or may make it after the graph has expanded. */
function madeBy({ pipeline }: CleanRequest): (path: string) => boolean {
  const graph = expand(pipeline, diskOf(pipeline));
  expandFromDisk(pipeline.root, graph);
  return (path) => mayBeMade(graph, path);
}

function matcher({ pipeline, targets, cwd }: CleanRequest): (path: string, owner: Owner) => boolean {
  if (targets.length === 0) return () => true;
  const tests = targets.map((target) => {
    const pattern = new TargetPattern(pipeline.root, target, relative(pipeline.root, cwd));
    const bare = pattern.path.replace(/\/$/, "");
    return (output: string, { id }: Owner): boolean =>
      output.replace(/\/$/, "") === bare ||
      bare === "" ||
      output.startsWith(`${bare}/`) ||
      pattern.matchesOutput(output) ||
      pattern.matchesTask(id);
  });
  return (path, owner) => tests.some((test) => test(path, owner));
}

/** Removes all of the cache but the lock, which this process holds. A command that waits for the lock starts anew. */
function dropCache(root: string): void {
  const lock = LOCK.slice(CACHE.length);
  for (const name of readdirSync(join(root, CACHE))) {
    if (!name.startsWith(lock)) remove(join(root, CACHE, name));
  }
}
