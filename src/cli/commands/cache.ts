/** `lq cache verify|gc|stats|push|pull`: checks, shrinks or measures the cache, or exchanges results with the remote one. */
import { join } from "node:path";
import { hasOwnStore, storeFolder } from "../../session/open-store.ts";
import { chooseGarbage, removeGarbage, type Collection } from "../../store/collect.ts";
import { actionsIn, objectsIn } from "../../store/contents.ts";
import { diskUsageOf } from "../../store/disk-usage.ts";
import {
  findStaleFiles,
  NO_STALE_FILES,
  removeStaleFiles,
  type StaleFiles,
} from "../../store/stale-files.ts";
import { hasNeeded, neededBy, neededByOthers } from "../../store/needed.ts";
import { verifyStore } from "../../store/verify.ts";
import { UserError } from "../../model/errors.ts";
import { CODE, HISTORY, LOGS, QUARANTINE, SCRATCH, STATE_LOG, STORE } from "../../model/layout.ts";
import { acquireFreeLock, isLocked } from "../../state/lock.ts";
import { State } from "../../state/state.ts";
import { isLive } from "../../report/is-live.ts";
import { sizeText } from "../../system/sizes.ts";
import { openProject, type CommonFlags, type Project } from "../options.ts";
import { print } from "../print.ts";
import { runExchange } from "./cache-exchange.ts";
import { keysToResume } from "../keys-to-resume.ts";

export interface CacheFlags extends CommonFlags {
  /** Bytes. */
  readonly keepSize?: number;
  readonly keepDays?: number;
}

export async function runCache([action, ...targets]: readonly string[], flags: CacheFlags): Promise<number> {
  const project = openProject(flags);
  if (action === "push" || action === "pull") return runExchange(action, project, targets, flags);
  refuseTargets(action, targets);
  const { pipeline } = project;
  const folder = storeFolder(pipeline);
  const place = { root: pipeline.root, folder, shared: !hasOwnStore(pipeline) || hasNeeded(folder) };
  if (action === "verify") return verify(place, flags);
  if (action === "gc") return collect(place, project, flags);
  return stats(place, flags);
}

function refuseTargets(action = "", [first]: readonly string[]): void {
  if (first !== undefined)
    throw new UserError({
      message: `lq cache ${action} takes no targets, and "${first}" is one`,
      hint: "it works on the whole cache",
    });
}

const DAY = 86_400_000;

interface Place {
  readonly root: string;
  /** The store's folder. */
  readonly folder: string;
  /** Whether other projects may use it. */
  readonly shared: boolean;
}

async function verify({ folder }: Place, flags: CacheFlags): Promise<number> {
  const live = isLive(process.stderr) && flags.json !== true && flags.quiet !== true;
  const verified = await verifyStore(folder, (fraction) => {
    if (live) process.stderr.write(`\rverifying ${folder}: ${Math.floor(fraction * 100)} %`);
  });
  if (live) process.stderr.write("\n");
  const { objects, actions, bytes, damaged, unreadable, incomplete } = verified;
  if (flags.json === true) console.log(JSON.stringify({ type: "verify", ...verified }));
  else {
    if (flags.quiet !== true)
      console.log(`${objects} objects (${sizeText(bytes)}) and ${actions} actions verified`);
    for (const { kind, name, file } of damaged)
      print(
        `${kind === "stranger" ? "not lq's:" : `damaged ${kind}`} ${name.slice(0, 12)}: ` +
          `${file.startsWith(join(folder, QUARANTINE)) ? "moved to" : "cannot be moved from"} ${file}`,
      );
    for (const { message } of unreadable) print(`not verified: ${message}`);
    const { length } = incomplete;
    if (length > 0)
      console.log(
        `${length === 1 ? "an action lacks" : `${length} actions lack`} objects; lq builds these outputs again when they are needed`,
      );
  }
  return damaged.length + unreadable.length > 0 ? 1 : 0;
}

async function collect(place: Place, project: Project, flags: CacheFlags): Promise<number> {
  const { root, folder, shared } = place;
  const { keepSize, keepDays, dryRun = false } = flags;
  if (keepSize === undefined && keepDays === undefined)
    throw new UserError({
      message: "lq cache gc needs a limit",
      hint: "give --keep-size 50GiB, --keep-days 30, or both; --keep-days 0 keeps only what current outputs need",
    });
  // Hold the lock until the end, so that no build of this project starts. Other projects may use a shared store anyway.
  const lock = dryRun ? null : acquireFreeLock(root);
  const isFree = lock !== null || (dryRun && !isLocked(root));
  const alone = isFree && !shared;
  try {
    const state = State.open(root, { readonly: true });
    const garbage = chooseGarbage(folder, neededNames(place, state), { keepSize, keepDays, alone });
    const removed = dryRun ? garbage : removeGarbage(garbage);
    const until = keepDays === undefined ? 0 : Date.now() - keepDays * DAY;
    const staleFiles = isFree
      ? await findStaleFiles(root, state, until, () => keysToResume(project))
      : NO_STALE_FILES;
    if (!dryRun) removeStaleFiles(staleFiles);
    report({ ...garbage, ...removed, freed: removed.freed + staleFiles.size }, staleFiles, flags, alone);
  } finally {
    lock?.release();
  }
  return 0;
}

function report(
  { actions, objects, freed, kept, needed }: Collection,
  { scratch, code, spared }: StaleFiles,
  { dryRun, json, quiet, keepSize }: CacheFlags,
  alone: boolean,
): void {
  const counts = {
    actions: actions.length,
    objects: objects.length,
    scratch: scratch.length,
    code: code.length,
  };
  if (json === true)
    console.log(
      JSON.stringify({ type: "gc", dryRun: dryRun === true, ...counts, spared, freed, kept, needed }),
    );
  if (json === true || quiet === true) return;
  const [verb, stay] = dryRun === true ? ["would remove", "would stay"] : ["removed", "stay"];
  const all = [
    counted(actions.length, "action"),
    counted(objects.length, "object"),
    ...(scratch.length > 0 ? [`${counted(scratch.length, "scratch folder")} of unfinished tasks`] : []),
    ...(code.length > 0 ? [`${counted(code.length, "bundle")} of code that has changed`] : []),
  ];
  console.log(`${verb} ${all.join(", ")}: ${sizeText(freed)}`);
  console.log(`${sizeText(kept)} ${stay}, ${sizeText(needed)} of it needed by current outputs`);
  if (spared > 0)
    console.log(`${counted(spared, "scratch folder")} of the same age ${stay}: a task may resume from there`);
  const young = alone ? "" : ", and nothing younger than an hour while others may build";
  if (keepSize !== undefined && kept > keepSize)
    console.log(`this is above ${sizeText(keepSize)}: gc never removes what current outputs need${young}`);
}

function stats(place: Place, flags: CacheFlags): number {
  const { root, folder } = place;
  const sum = (files: Iterable<{ readonly size: number }>) => {
    let [count, bytes] = [0, 0];
    for (const { size } of files) [count, bytes] = [count + 1, bytes + size];
    return { count, bytes };
  };
  const [objects, actions] = [sum(objectsIn(folder)), sum(actionsIn(folder))];
  const state = State.open(root, { readonly: true });
  const { needed } = chooseGarbage(folder, neededNames(place, state), {});
  const others = {
    state: sizeOf(join(root, STATE_LOG)),
    logs: sizeOf(join(root, LOGS)),
    history: sizeOf(join(root, HISTORY)),
    scratch: sizeOf(join(root, SCRATCH)),
    code: sizeOf(join(root, CODE)),
  };
  const quarantine = sizeOf(join(folder, QUARANTINE));
  if (flags.json === true)
    console.log(JSON.stringify({ type: "stats", folder, objects, actions, needed, quarantine, ...others }));
  else
    console.log(
      [
        folder,
        `  objects  ${sizeText(objects.bytes)} in ${objects.count}`,
        `  actions  ${sizeText(actions.bytes)} in ${actions.count}`,
        `  needed   ${sizeText(needed)} by current outputs; lq cache gc can free the rest`,
        ...(quarantine > 0 ? [`  ${sizeText(quarantine)} in ${QUARANTINE}/, which lq does not use`] : []),
        join(root, STORE),
        ...Object.entries(others).map(([name, bytes]) => `  ${name.padEnd(8)} ${sizeText(bytes)}`),
      ].join("\n"),
    );
  return 0;
}

/** Keys and digests that the outputs of this project, and of all projects that share the folder, need. */
function neededNames({ root, folder }: Place, state: State): ReadonlySet<string> {
  return new Set([...neededBy(root, state), ...neededByOthers(folder, root)]);
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function sizeOf(path: string): number {
  return diskUsageOf(path)?.size ?? 0;
}
