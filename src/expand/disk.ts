/** What is on the disk at a path; undefined for nothing, also where it cannot be asked (a file as a folder, no right). */
import { statSync, type Stats } from "node:fs";

export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
