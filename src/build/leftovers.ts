/** What a build that was killed left: processes that would still write, and its staging folders. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { killRun, RUN } from "../execute/process-tree.ts";
import { STAGING } from "../record/layout.ts";

/** To be called by the holder of the project's lock only. */
export function clearLeftovers(root: string): void {
  const staging = join(root, STAGING);
  for (const name of foldersIn(staging)) if (/^[0-9a-f]{16}$/.test(name) && name !== RUN) killRun(name);
  rmSync(staging, { recursive: true, force: true });
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
