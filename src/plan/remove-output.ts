/** Removes an output, and the folders above it that are empty then. */
import { rmdirSync } from "node:fs";
import { absolute, ancestors } from "../model/paths.ts";
import { discard } from "../files/remove.ts";

export function removeOutput(root: string, path: string): void {
  // What a program still has open goes when that has ended.
  discard(absolute(root, path).replace(/\/$/, ""));
  for (const folder of ancestors(path)) {
    try {
      rmdirSync(absolute(root, folder));
    } catch {
      // Not empty, or a link: it stays, with all above it.
      return;
    }
  }
}
