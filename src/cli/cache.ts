/** `lq cache verify|gc|stats`: looks after the cached contents. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { storeFolder } from "../build/open-store.ts";
import { chooseGarbage, removeGarbage } from "../cache/collect.ts";
import { actionsIn, objectsIn } from "../cache/contents.ts";
import { keysOf, readNeeded, writeNeeded } from "../cache/needed.ts";
import { verifyStore } from "../cache/verify.ts";
import { UserError } from "../errors.ts";
import { readLockFile } from "../lockfile/lockfile.ts";
import { HISTORY, LOGS, SCRATCH, STATE_LOG, STORE } from "../record/layout.ts";
import { State } from "../record/state.ts";
import { sizeText } from "../sizes.ts";
import { openProject, type CommonFlags } from "./options.ts";

export interface CacheFlags extends CommonFlags {
  /** Bytes. */
  readonly keepSize?: number;
  readonly keepDays?: number;
}

export function runCache([action]: readonly string[], flags: CacheFlags): Promise<number> {
  const { pipeline } = openProject(flags);
  const place = { root: pipeline.root, folder: storeFolder(pipeline) };
  if (action === "verify") return verify(place, flags);
  if (action === "gc") return Promise.resolve(collect(place, flags));
  return Promise.resolve(stats(place, flags));
}

interface Place {
  readonly root: string;
  /** Of the store. */
  readonly folder: string;
}

async function verify({ folder }: Place, flags: CacheFlags): Promise<number> {
  const live = process.stderr.isTTY === true && flags.json !== true && flags.quiet !== true;
  const verified = await verifyStore(folder, (fraction) => {
    if (live) process.stderr.write(`\rverifying ${folder}: ${Math.floor(fraction * 100)} %`);
  });
  if (live) process.stderr.write("\n");
  const { objects, actions, bytes, damaged, incomplete } = verified;
  if (flags.json === true) console.log(JSON.stringify({ type: "verify", ...verified }));
  else {
    if (flags.quiet !== true)
      console.log(`${objects} objects (${sizeText(bytes)}) and ${actions} actions verified`);
    for (const { kind, name, file } of damaged)
      console.log(`damaged ${kind} ${name.slice(0, 12)}: moved to ${file}`);
    if (incomplete.length > 0)
      console.log(`${incomplete.length} actions lack objects; what they made is built again when needed`);
  }
  return damaged.length > 0 ? 1 : 0;
}

function collect({ root, folder }: Place, flags: CacheFlags): number {
  const { keepSize, keepDays, dryRun } = flags;
  if (keepSize === undefined && keepDays === undefined)
    throw new UserError({
      message: "lq cache gc needs a limit",
      hint: "as in --keep-size 50GiB, --keep-days 30, or both; --keep-days 0 keeps only what current outputs need",
    });
  const garbage = chooseGarbage(folder, neededKeys({ root, folder }), { keepSize, keepDays });
  if (dryRun !== true) removeGarbage(garbage);
  const { actions, objects, freed, kept, needed } = garbage;
  const counts = { actions: actions.length, objects: objects.length, freed, kept, needed };
  if (flags.json === true) console.log(JSON.stringify({ type: "gc", dryRun: dryRun === true, ...counts }));
  else if (flags.quiet !== true) {
    const verb = dryRun === true ? "would remove" : "removed";
    console.log(`${verb} ${actions.length} actions and ${objects.length} objects, ${sizeText(freed)}`);
    console.log(
      `${sizeText(kept)} ${dryRun === true ? "would stay" : "stay"}, ${sizeText(needed)} of it needed by current outputs`,
    );
    if (keepSize !== undefined && kept > keepSize)
      console.log(
        `that is above ${sizeText(keepSize)}: what current outputs need, and what is younger than an hour, is never removed`,
      );
  }
  return 0;
}

function stats({ root, folder }: Place, flags: CacheFlags): number {
  const sum = (files: Iterable<{ readonly size: number }>) => {
    let [count, bytes] = [0, 0];
    for (const { size } of files) [count, bytes] = [count + 1, bytes + size];
    return { count, bytes };
  };
  const [objects, actions] = [sum(objectsIn(folder)), sum(actionsIn(folder))];
  const { needed } = chooseGarbage(folder, neededKeys({ root, folder }), {});
  const others = {
    state: sizeOf(join(root, STATE_LOG)),
    logs: sizeOf(join(root, LOGS)),
    history: sizeOf(join(root, HISTORY)),
    scratch: sizeOf(join(root, SCRATCH)),
  };
  if (flags.json === true)
    console.log(JSON.stringify({ type: "stats", folder, objects, actions, needed, ...others }));
  else
    console.log(
      [
        folder,
        `  objects  ${sizeText(objects.bytes)} in ${objects.count}`,
        `  actions  ${sizeText(actions.bytes)} in ${actions.count}`,
        `  needed   ${sizeText(needed)} by current outputs; lq cache gc can free the rest`,
        join(root, STORE),
        ...Object.entries(others).map(([name, bytes]) => `  ${name.padEnd(8)} ${sizeText(bytes)}`),
      ].join("\n"),
    );
  return 0;
}

/** Of this project, by its records and its lq.lock, and of all that share the folder. */
function neededKeys({ root, folder }: Place): ReadonlySet<string> {
  const own = keysOf(State.open(root, { readonly: true }));
  const locked = [...readLockFile(root).values()].map(({ key }) => key);
  const needed = new Set([...own, ...locked]);
  if (folder === join(root, STORE)) return needed;
  writeNeeded(folder, root, needed);
  return readNeeded(folder);
}

function sizeOf(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
