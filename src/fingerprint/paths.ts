/** Where a path of the model lies on the disk. */

/** The project path of lq's own folder, which is never an input. */
export const CACHE = "cache/";

/** The absolute path of a project path (or of an input outside the project, which is absolute already). */
export function absolute(root: string, path: string): string {
  return path.startsWith("/") ? path : `${root}/${path}`;
}

/** The directories that contain a path, innermost first, each with its trailing "/". */
export function* parents(path: string): Generator<string> {
  for (let at = path.lastIndexOf("/", path.length - 2); at > 0; at = path.lastIndexOf("/", at - 1))
    yield path.slice(0, at + 1);
}
