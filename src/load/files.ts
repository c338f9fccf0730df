/** The source files of a project. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const PIPELINE_FILE = "pipeline.yaml";

/** The text of a file; null when there is none. */
export function readSource(dir: string, path: string): string | null {
  try {
    return readFileSync(join(dir, path), "utf8").replace(/^\uFEFF/, "");
  } catch {
    return null;
  }
}
