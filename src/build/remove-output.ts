/** Removes an output, and the folders above it that are empty then. */
import { rmdirSync, rmSync } from "node:fs";
import { absolute, parents } from "../fingerprint/paths.ts";

export function removeOutput(root: string, path: string): void {
  rmSync(absolute(root, path).replace(/\/$/, ""), { recursive: true, force: true });
  for (const folder of parents(path)) {
    try {
      rmdirSync(absolute(root, folder));
    } catch {
      // Not empty, or a link: it stays, with all above it.
      return;
    }
  }
}
