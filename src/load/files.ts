/** Reads source files of a project. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const PIPELINE_FILE = "pipeline.yaml";

/** The text of a file, without a byte order mark; null if it cannot be read. */
export function readSource(dir: string, path: string): string | null {
  try {
    const file = join(dir, path);
    // Do not read a pipe: that could wait for ever.
    return statSync(file).isFile() ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : null;
  } catch {
    return null;
  }
}
