/** `lq cache verify|gc|stats`: looks after the cached contents. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hasOwnStore, storeFolder } from "../build/open-store.ts";
import { chooseGarbage, removeGarbage, type Collection } from "../cache/collect.ts";
import { actionsIn, objectsIn } from "../cache/contents.ts";
import { hasNeeded, neededBy, neededByOthers } from "../cache/needed.ts";
import { verifyStore } from "../cache/verify.ts";
import { UserError } from "../errors.ts";
import { HISTORY, LOGS, QUARANTINE, SCRATCH, STATE_LOG, STORE } from "../record/layout.ts";
import { acquireFreeLock, isLocked } from "../record/lock.ts";
import { State } from "../record/state.ts";
import { isLive } from "../report/is-live.ts";
import { sizeText } from "../sizes.ts";
import { openProject, type CommonFlags } from "./options.ts";
import { print } from "./print.ts";

export interface CacheFlags extends CommonFlags {
  /** Bytes. */
  readonly keepSize?: number;
  readonly keepDays?: number;
}

export function runCache([action]: readonly string[], flags: CacheFlags): Promise<number> {
  const { pipeline } = openProject(flags);
  const folder = storeFolder(pipeline);
  const place = { root: pipeline.root, folder, shared: !hasOwnStore(pipeline) || hasNeeded(folder) };
  if (action === "verify") return verify(place, flags);
  if (action === "gc") return Promise.resolve(collect(place, flags));
  return Promise.resolve(stats(place, flags));
}

interface Place {
  readonly root: string;
  /** Of the store. */
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
        `${length === 1 ? "an action lacks" : `${length} actions lack`} objects; what it made is built again when needed`,
      );
  }
  return damaged.length + unreadable.length > 0 ? 1 : 0;
}

function collect(place: Place, flags: CacheFlags): number {
  const { root, folder, shared } = place;
  const { keepSize, keepDays, dryRun } = flags;
  if (keepSize === undefined && keepDays === undefined)
    throw new UserError({
      message: "lq cache gc needs a limit",
      hint: "as in --keep-size 50GiB, --keep-days 30, or both; --keep-days 0 keeps only what current outputs need",
    });
  // No build can begin, in one's own store, until this is done; of a shared one nobody knows who uses it.
  const lock = shared || dryRun === true ? null : acquireFreeLock(root);
  const alone = lock !== null || (dryRun === true && !shared && !isLocked(root));
  try {
    const garbage = chooseGarbage(folder, neededNames(place), { keepSize, keepDays, alone });
    const removed = dryRun === true ? garbage : removeGarbage(garbage);
    report({ ...garbage, ...removed }, flags, alone);
  } finally {
    lock?.release();
  }
  return 0;
}

function report(collection: Collection, { dryRun, json, quiet, keepSize }: CacheFlags, alone: boolean): void {
  const { actions, objects, freed, kept, needed } = collection;
  const counts = { actions: actions.length, objects: objects.length, freed, kept, needed };
  if (json === true) console.log(JSON.stringify({ type: "gc", dryRun: dryRun === true, ...counts }));
  if (json === true || quiet === true) return;
  const [verb, stay] = dryRun === true ? ["would remove", "would stay"] : ["removed", "stay"];
  console.log(`${verb} ${counts.actions} actions and ${counts.objects} objects, ${sizeText(freed)}`);
  console.log(`${sizeText(kept)} ${stay}, ${sizeText(needed)} of it needed by current outputs`);
  const young = alone ? "" : ", nor, beside other builds, what is younger than an hour";
  if (keepSize !== undefined && kept > keepSize)
    console.log(`that is above ${sizeText(keepSize)}: what current outputs need is never removed${young}`);
}

function stats(place: Place, flags: CacheFlags): number {
  const { root, folder } = place;
  const sum = (files: Iterable<{ readonly size: number }>) => {
    let [count, bytes] = [0, 0];
    for (const { size } of files) [count, bytes] = [count + 1, bytes + size];
    return { count, bytes };
  };
  const [objects, actions] = [sum(objectsIn(folder)), sum(actionsIn(folder))];
  const { needed } = chooseGarbage(folder, neededNames(place), {});
  const others = {
    state: sizeOf(join(root, STATE_LOG)),
    logs: sizeOf(join(root, LOGS)),
    history: sizeOf(join(root, HISTORY)),
    scratch: sizeOf(join(root, SCRATCH)),
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
        ...(quarantine > 0 ? [`  ${sizeText(quarantine)} in ${QUARANTINE}/, of no use to lq`] : []),
        join(root, STORE),
        ...Object.entries(others).map(([name, bytes]) => `  ${name.padEnd(8)} ${sizeText(bytes)}`),
      ].join("\n"),
    );
  return 0;
}

/** By the outputs of this project, and of all that share the folder. */
function neededNames({ root, folder }: Place): ReadonlySet<string> {
  const own = neededBy(root, State.open(root, { readonly: true }));
  return new Set([...own, ...neededByOthers(folder, root)]);
}

function sizeOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) return stats?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
