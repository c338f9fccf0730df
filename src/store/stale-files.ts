/**
 * Finds files beside the store that nothing needs any more: scratch of unfinished tasks whose keys no task has now, and
 * bundles of code that has changed since.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { bundlesKnown } from "../fingerprint/code.ts";
import { ifThere } from "../files/network-files.ts";
import { CODE, SCRATCH } from "../model/layout.ts";
import type { State } from "../state/state.ts";
import { discard } from "../files/remove.ts";
import { diskUsageOf, type DiskUsage } from "./disk-usage.ts";

export interface StaleFiles {
  /** Absolute paths of folders. */
  readonly scratch: readonly string[];
  /** Absolute paths of files. */
  readonly code: readonly string[];
  /** Bytes of both. */
  readonly size: number;
  /** How many old scratch folders stay, because a task may still have their key. */
  readonly spared: number;
}

export const NO_STALE_FILES: StaleFiles = { scratch: [], code: [], size: 0, spared: 0 };

const HOUR = 3_600_000;

/**
 * @param until milliseconds since 1970; scratch that was written to after this time stays
 * @param keysNow gives the keys of the tasks that may resume; null if some are not known yet. Called only if a scratch
 *   folder is old
 */
export async function findStaleFiles(
  root: string,
  state: State,
  until: number,
  keysNow: () => Promise<ReadonlySet<string> | null>,
  now: number = Date.now(),
): Promise<StaleFiles> {
  const inUse = bundlesKnown(state);
  // A command that only plans also writes bundles, and it holds no lock.
  const code = entriesOf(join(root, CODE)).filter(
    ({ name, modified }) => modified < now - HOUR && !inUse.has(name.replace(/\.mjs$/, "")),
  );
  const old = entriesOf(join(root, SCRATCH)).filter(({ modified }) => modified < until);
  const keys = old.length > 0 ? await keysNow() : null;
  const scratch = old.filter(({ name }) => keys?.has(name) === false);
  return {
    scratch: scratch.map(({ path }) => path),
    code: code.map(({ path }) => path),
    size: [...scratch, ...code].reduce((sum, { size }) => sum + size, 0),
    spared: old.length - scratch.length,
  };
}

export function removeStaleFiles({ scratch, code }: StaleFiles): void {
  for (const path of [...scratch, ...code]) discard(path);
}

function entriesOf(
  folder: string,
): readonly (DiskUsage & { readonly name: string; readonly path: string })[] {
  const names = ifThere(() => readdirSync(folder)) ?? [];
  return names.flatMap((name) => {
    const path = join(folder, name);
    const extent = diskUsageOf(path);
    return extent === null ? [] : [{ name, path, ...extent }];
  });
}
