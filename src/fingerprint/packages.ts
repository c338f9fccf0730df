/** Finds the package, with its version, that a file of node_modules belongs to, and says how to install one. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { installation } from "../system/installation.ts";

const PEERS = manifest.peerDependencies;

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

/**
 * The command that installs a package for a task module. A package of lq leaves out its peer dependency
 * onnxruntime-node: its install script would download a GPU runtime from outside of the npm registry.
 */
export function installCommand(name: string): string {
  if (!isPeer(name)) return `npm install ${name}`;
  const home = installation();
  const beside = /^(.*)\/lib\/node_modules\/[^/]+$/.test(home)
    ? "-g"
    : `--prefix ${home.replace(/\/node_modules\/[^/]+$/, "")}`;
  return `ONNXRUNTIME_NODE_INSTALL=skip npm install ${beside} ${name}@${PEERS[name]}`;
}

function isPeer(name: string): name is keyof typeof PEERS {
  return Object.hasOwn(PEERS, name);
}
