/** Reference material beside the project. Tests that need it are skipped with a notice if it is not there. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../shared/", import.meta.url));

/** Absolute path of a file of the reference material, or null (with a printed notice) if it is not there. */
export function shared(path: string): string | null {
  const full = root + path;
  if (existsSync(full)) return full;
  console.warn(`skipped: ../shared/${path} is not beside the project`);
  return null;
}
