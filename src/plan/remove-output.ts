/** Removes an output, and then the folders above it that are empty. */
import { rmdirSync } from "node:fs";
import { absolute, ancestors } from "../model/paths.ts";
import { discard } from "../files/remove.ts";

export function removeOutput(root: string, path: string): void {
  // A file that a program still has open goes away when that program ends.
  discard(absolute(root, path).replace(/\/$/, ""));
  for (const folder of ancestors(path)) {
    try {
      rmdirSync(absolute(root, folder));
    } catch {
      // The folder is not empty, or is a link: it stays, and so do all folders above it.
      return;
    }
  }
}
