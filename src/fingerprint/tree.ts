/** Directories as content: their sorted tree of (name, digest). */
import { realpathSync } from "node:fs";
import { Disk, kindOf } from "../files/disk.ts";
import { errorCode, UserError } from "../model/errors.ts";
import { refuseUndecodable } from "../files/file-names.ts";
import { isGone } from "../files/network-files.ts";
import { readable } from "../files/file-signature.ts";
import { sha256 } from "../system/digest.ts";
import { absolute, CACHE } from "../model/paths.ts";

export interface TreeEntry {
  /** Relative to the directory, "/" between parts. */
  readonly name: string;
  readonly digest: string;
}

/** What coverage asks of the graph. */
export interface Producers {
  /** The outputs, files and directories, that tasks make under a directory. */
  outputsUnder(dir: string): Iterable<string>;
  /** Whether a task makes a path, itself or as part of a directory output. */
  makes(path: string): boolean;
}

/** What coverage asks of the records. */
export interface Writings {
  /** Whether lq wrote the file at this path and nobody changed it since. */
  isUntouched(path: string): boolean;
}

/**
 * Digest of a tree. Permissions, times and empty directories are not content.
 * @param entries sorted by name (code units)
 */
export function treeDigest(entries: readonly TreeEntry[]): string {
  // A name holds no NUL and a digest has a fixed length, so no two trees give one text.
  return sha256(entries.map(({ name, digest }) => `${name}\0${digest}\n`).join(""));
}

/** Digest of the names in a directory, whatever their files hold. */
export function namesDigest(names: readonly string[]): string {
  return sha256(names.join("\0"));
}

/**
 * Every file that a directory input stands for: what the graph makes under it (made yet or not) and what the
 * disk has, without what lq once wrote for tasks that are gone, unless it was edited since, and without bytecode.
 * @param dir ends in "/"
 * @returns names relative to the directory, sorted
 */
export function coveredFiles(
  root: string,
  graph: Producers,
  writings: Writings,
  dir: string,
  disk: Disk,
): string[] {
  const made: string[] = [];
  for (const path of graph.outputsUnder(dir)) if (!path.endsWith("/")) made.push(path.slice(dir.length));
  const counts = (name: string): boolean => {
    const path = dir + name;
    return graph.makes(path) || !(isBytecode(name) || writings.isUntouched(path));
  };
  return merge(made.sort(), filesUnder(root, dir, disk), counts);
}

/** What Python leaves beside the modules that it imports: it follows from them, but has their times in it. */
function isBytecode(name: string): boolean {
  return name.startsWith("__pycache__/") || name.includes("/__pycache__/");
}

/**
 * @param all sorted, as are the others
 * @param counts which of the others to take
 */
function merge(
  all: readonly string[],
  others: readonly string[],
  counts: (other: string) => boolean,
): string[] {
  const merged: string[] = [];
  let next = 0;
  for (const other of others) {
    for (let name = all[next]; name !== undefined && name < other; name = all[++next]) merged.push(name);
    if (all[next] === other) next += 1;
    else if (!counts(other)) continue;
    merged.push(other);
  }
  return merged.concat(all.slice(next));
}

/**
 * Files under a directory, through symbolic links, without lq's own folder.
 * @param dir ends in "/"
 * @returns names relative to the directory, sorted; empty if there is no such directory
 * @throws UserError for a link to a directory that contains it, and for what is neither file nor directory
 */
export function filesUnder(root: string, dir: string, disk = new Disk()): string[] {
  const names: string[] = [];
  const own = absolute(root, CACHE);
  const base = absolute(root, dir);

  const visit = (prefix: string, above: readonly string[]): void => {
    if (base + prefix === own) return;
    for (const entry of list(disk, base + prefix, dir + prefix)) {
      const name = prefix + entry.name;
      refuseUndecodable(base + name, dir + name);
      const isLink = entry.kind === "link";
      const target = isLink ? follow(disk, base + name, dir + name) : undefined;
      if (isLink && target === undefined) continue;
      const kind = target === undefined ? entry.kind : kindOf(target);
      if (kind === "file") names.push(name);
      else if (kind === "folder") {
        const real = isLink ? realPath(base + name) : `${above[above.length - 1] ?? ""}/${entry.name}`;
        if (real === null) continue;
        if (isLink && above.some((folder) => folder === real || folder.startsWith(`${real}/`)))
          throw new UserError({
            message: `${dir}${name} is a symbolic link to a directory that contains it`,
            hint: "remove the link, or name a directory below it as the input",
          });
        visit(`${name}/`, [...above, real]);
      } else throw new UserError(`${dir}${name} is neither a file nor a directory, and cannot be an input`);
    }
  };

  // Without the "/", so that a file in the directory's place is seen as one.
  const stats = follow(disk, base.replace(/\/$/, ""), dir);
  if (stats === undefined) return [];
  if (!stats.isDirectory()) throw new UserError(`${dir} is a file where a directory is expected`);
  const real = realPath(base);
  if (real !== null) visit("", [real]);
  return names.sort();
}

/** Null where nothing is any more. */
function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function list(disk: Disk, folder: string, path: string) {
  try {
    return disk.list(folder);
  } catch (error) {
    const code = errorCode(error);
    // Removed between being listed and being read: as if it had never been there.
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw readable(error, path);
  }
}

/** What is at a path or where it links to; a link that leads nowhere stands for nothing. */
function follow(disk: Disk, location: string, path: string) {
  try {
    return disk.stat(location);
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw readable(error, path);
  }
}
