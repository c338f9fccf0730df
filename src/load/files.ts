/** Reads a source file of the project as text; null when there is none. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function readSource(dir: string, path: string): string | null {
  try {
    return readFileSync(join(dir, path), "utf8").replace(/^\uFEFF/, "");
  } catch {
    return null;
  }
}
