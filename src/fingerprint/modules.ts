/**
 * Finds the file that a rule's `run:` names: a file of the project or, as `lq:PATH`, one that comes with lq.
 *
 * A name contains neither the project's folder nor lq's, so these folders are in no key.
 */
import { realpathSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { installation } from "../system/installation.ts";

/** Prefix of the names of modules that come with lq. */
const OWN = "lq:";

/** @returns where the name begins, and the path from there */
export function splitModule(module: string): { readonly base: "lq" | "project"; readonly path: string } {
  return module.startsWith(OWN)
    ? { base: "lq", path: module.slice(OWN.length) }
    : { base: "project", path: module };
}

/** @returns absolute path, whether there is a file or not */
export function modulePath(root: string, module: string): string {
  const { base, path } = splitModule(module);
  return join(base === "lq" ? installation() : root, path);
}

/** @returns real path of the module's file; undefined if there is none, or a link leads out of lq */
export function findModule(root: string, module: string): string | undefined {
  const file = modulePath(root, module);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const real = realpathSync(file);
  return splitModule(module).base === "lq" && !isWithin(realpathSync(installation()), real)
    ? undefined
    : real;
}

/**
 * @param root real path of the project
 * @param file real path
 * @returns `lq:PATH` for a file that comes with lq, unless it belongs to a project that lies inside lq's folder
 */
export function moduleName(root: string, file: string): string {
  const home = realpathSync(installation());
  const isOfProject = isWithin(root, file);
  if (isWithin(home, file) && !(isOfProject && isWithin(home, root))) return OWN + relative(home, file);
  return relative(root, file);
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
