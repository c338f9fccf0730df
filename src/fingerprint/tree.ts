/** Reads directories as content: a sorted list of (name, digest). */
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

/** The part of the graph that coverage reads. */
export interface Producers {
  /** The outputs that tasks make under a directory, files and directories. */
  outputsUnder(dir: string): Iterable<string>;
  /** Whether a task makes a path, as an output or as part of a directory output. */
  makes(path: string): boolean;
}

/** The part of the records that coverage reads. */
export interface Writings {
  /** Whether lq wrote the file for a task that is gone, nobody changed it since, and a build removes it. */
  isLeftover(path: string): boolean;
}

/**
 * Digest of a tree. Permissions, times and empty directories are not content.
 * @param entries sorted by name (code units)
 */
export function treeDigest(entries: readonly TreeEntry[]): string {
  // Names hold no NUL and digests have a fixed length, so two trees never give the same text.
  return sha256(entries.map(({ name, digest }) => `${name}\0${digest}\n`).join(""));
}

/** Digest of the names in a directory. The content of the files does not count. */
export function namesDigest(names: readonly string[]): string {
  return sha256(names.join("\0"));
}

/**
 * Lists every file that a directory input covers: files that tasks make under it, even if not made yet, and files on
 * the disk. It leaves out what never counts (src/files/ignore.ts). It also leaves out files that a build removes because no task makes them
 * any more.
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
    return graph.makes(path) || !writings.isLeftover(path);
  };
  return merge(made.sort(), filesUnder(root, dir, disk), counts);
}

/**
 * Merges two sorted lists.
 *
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
 * Lists files under a directory. It follows symbolic links and leaves out lq's own folder.
 * @param dir ends in "/"
 * @param dangling gets the names of links that lead nowhere
 * @returns names relative to the directory, sorted; empty if there is no such directory
 * @throws UserError for a link to a directory that contains it, and for an entry that is neither file nor directory
 */
export function filesUnder(root: string, dir: string, disk = new Disk(), dangling: string[] = []): string[] {
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
      if (isLink && target === undefined) {
        dangling.push(name);
        continue;
      }
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

  // Remove the "/", because with it `stat` fails for a file in the directory's place.
  const stats = follow(disk, base.replace(/\/$/, ""), dir);
  if (stats === undefined) return [];
  if (!stats.isDirectory()) throw new UserError(`${dir} is a file where a directory is expected`);
  const real = realPath(base);
  if (real !== null) visit("", [real]);
  return names.sort();
}

/** The real path; null if nothing is there any more. */
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
    // It was removed between the listing and the reading: treat it as never there.
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw readable(error, path);
  }
}

/** The stats of a path; follows links. A broken link counts as nothing. */
function follow(disk: Disk, location: string, path: string) {
  try {
    return disk.stat(location);
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw readable(error, path);
  }
}
