/**
 * Brings paths into one normal form: POSIX; relative to the project, or absolute if outside it. A directory ends in
 * "/".
 */
import { posix } from "node:path";

/** lq's own folder. It is never an input. */
export const CACHE = "cache/";

/** A path that is absolute, or has an empty, "." or ".." part. */
const ODD = /^\/|(^|\/)\.{0,2}\/|(^|\/)\.{1,2}$/;

/** The normal form; "" for the project itself. */
export function normalise(root: string, path: string): string {
  if (!ODD.test(path)) return path;
  const resolved = posix.resolve(root, path);
  const directory = path.endsWith("/") && resolved !== "/" ? "/" : "";
  if (resolved === root) return "";
  return (resolved.startsWith(root + "/") ? resolved.slice(root.length + 1) : resolved) + directory;
}

export function isOutside(path: string): boolean {
  return path.startsWith("/");
}

/** The absolute path of a path in normal form. */
export function absolute(root: string, path: string): string {
  return isOutside(path) ? path : `${root}/${path}`;
}

/** The directories above a path, nearest first, each with its "/" at the end. */
export function* ancestors(path: string): Generator<string> {
  for (let end = path.lastIndexOf("/", path.length - 2); end >= 0; end = path.lastIndexOf("/", end - 1)) {
    yield path.slice(0, end + 1);
    if (end === 0) return;
  }
}

/** The directory that a path is in, with "/"; "" for the project itself. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/", path.length - 2) + 1);
}

/** Whether a path is a folder or lies in it; both absolute, the folder without its "/". */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
