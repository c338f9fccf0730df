/** Paths in one normal form: POSIX, relative to the project, absolute when outside it; "/" ends a directory. */
import { posix } from "node:path";

const ODD = /^\/|(^|\/)\.{0,2}\/|(^|\/)\.{1,2}$/;

/** The normal form; "" for the project itself. */
export function normalise(root: string, path: string): string {
  if (!ODD.test(path)) return path;
  const absolute = posix.resolve(root, path);
  const directory = path.endsWith("/") && absolute !== "/" ? "/" : "";
  if (absolute === root) return "";
  return (absolute.startsWith(root + "/") ? absolute.slice(root.length + 1) : absolute) + directory;
}

export function isOutside(path: string): boolean {
  return path.startsWith("/");
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
