/** The source files of a project. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const PIPELINE_FILE = "pipeline.yaml";

/** The text of a file; null when there is none. */
export function readSource(dir: string, path: string): string | null {
  try {
    const file = join(dir, path);
    // A pipe would be waited for, maybe without end.
    return statSync(file).isFile() ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : null;
  } catch {
    return null;
  }
}
