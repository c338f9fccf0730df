/** Finds the folder in which lq is installed: the folder of its package.json. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let found: string | undefined;

export function installation(): string {
  found ??= find(dirname(fileURLToPath(import.meta.url)));
  return found;
}

/** The file that `import … from "lq"` loads in every task module. */
export function apiModule(): string {
  return join(installation(), "src/api.ts");
}

function find(folder: string): string {
  if (packageName(folder) === "lq") return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("lq was moved away from its package.json: install it again");
  return find(above);
}

function packageName(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
