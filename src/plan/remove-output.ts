/** Removes an output, and then the folders above it that are empty. */
import { rmdirSync } from "node:fs";
import { absolute, ancestors } from "../model/paths.ts";
import { removeAround } from "../record/strays.ts";
import { discard } from "../files/remove.ts";

/** @param strays see `straysIn`: they stay, with their folders */
export function removeOutput(root: string, path: string, strays: readonly string[] = []): void {
  if (strays.length > 0) return removeAround(absolute(root, path).replace(/\/$/, ""), strays);
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
