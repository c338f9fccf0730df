/** Finds the package, with its version, that a file of node_modules belongs to. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface PackageVersion {
  readonly name: string;
  readonly version: string;
}

/** @returns also the path of the package.json; null for a file that belongs to no package */
export function packageOf(file: string): (PackageVersion & { readonly manifest: string }) | null {
  for (let folder = dirname(file), below = ""; folder !== below; below = folder, folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    const found = read(manifest);
    // A nested package.json without name and version only says how the files beside it are loaded.
    if (found !== null) return { ...found, manifest };
  }
  return null;
}

function read(manifest: string): PackageVersion | null {
  try {
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as { [key: string]: unknown };
    return typeof name === "string" && typeof version === "string" ? { name, version } : null;
  } catch {
    return null;
  }
}
