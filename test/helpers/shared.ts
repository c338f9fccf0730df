/** Reference material beside the project. Tests that need it skip, saying so, where it is absent. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../shared/", import.meta.url));

/** Absolute path of a file of the reference material, or null (with a printed notice) where it is absent. */
export function shared(path: string): string | null {
  const full = root + path;
  if (existsSync(full)) return full;
  console.warn(`skipped: ../shared/${path} is not beside the project`);
  return null;
}
