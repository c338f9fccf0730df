/** What builds that were killed left: processes that would still write, staging folders, and places in the queue. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { killRun, RUN } from "../system/process-tree.ts";
import { STAGING } from "../model/layout.ts";
import { clearTickets } from "../state/lock.ts";
import { remove } from "../files/remove.ts";

/** To be called by the holder of the project's lock only. */
export function clearLeftovers(root: string): void {
  clearTickets(root);
  const staging = join(root, STAGING);
  for (const name of foldersIn(staging)) if (/^[0-9a-f]{16}$/.test(name) && name !== RUN) killRun(name);
  try {
    remove(staging);
  } catch {
    // Still in use by something that nobody could end (on NFS): nobody looks there again.
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
