/** Where a path of the model lies on the disk. */

/** The project path of lq's own folder, which is never an input. */
export const CACHE = "cache/";

/** The absolute path of a project path (or of an input outside the project, which is absolute already). */
export function absolute(root: string, path: string): string {
  return path.startsWith("/") ? path : `${root}/${path}`;
}
