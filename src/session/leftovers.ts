/** Removes what killed builds left: processes that may still write, staging folders, and files of waiting processes. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { killRun, RUN } from "../system/process-tree.ts";
import { STAGING } from "../model/layout.ts";
import { clearTickets } from "../state/lock.ts";
import { remove } from "../files/remove.ts";

/** Only the holder of the project's lock may call this. */
export function clearLeftovers(root: string): void {
  clearTickets(root);
  const staging = join(root, STAGING);
  for (const name of foldersIn(staging)) if (/^[0-9a-f]{16}$/.test(name) && name !== RUN) killRun(name);
  try {
    remove(staging);
  } catch {
    // On NFS, a process that could not be ended may still use the folder. No build reads it again, so leave it.
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
