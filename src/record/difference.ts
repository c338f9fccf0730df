/** Compares an output on the disk with what lq wrote there. Only files that count are compared (src/files/ignore.ts). */
import { statSync } from "node:fs";
import { UserError } from "../model/errors.ts";
import type { FileDigests } from "../files/files.ts";
import { sameSignature } from "../files/signature.ts";
import { absolute } from "../model/paths.ts";
import { filesUnder, type TreeEntry } from "../fingerprint/tree.ts";
import type { WrittenOutput } from "../state/records.ts";

/** Whether an output on the disk is what lq wrote there. */
export function isAsWritten(root: string, files: FileDigests, output: Written): boolean {
  return differenceFrom(root, files, output).kind === "none";
}

/** The part of a record that is compared with the disk. */
type Written =
  | { readonly kind: "file"; readonly path: string; readonly digest: string }
  | { readonly kind: "directory"; readonly path: string; readonly entries: readonly TreeEntry[] };

/** "more": everything that lq wrote is there, and other files. `file` is a path that differs, and null if unreadable. */
type Difference =
  | { readonly kind: "none" }
  | { readonly kind: "more"; readonly file: string }
  | { readonly kind: "other"; readonly file: string | null };

const NO_DIFFERENCE: Difference = { kind: "none" };

export function differenceFrom(root: string, files: FileDigests, output: Written): Difference {
  try {
    if (output.kind === "directory") return folderDifference(root, files, output.path, output.entries);
    const { path, digest } = output;
    return files.digest(path) === digest ? NO_DIFFERENCE : { kind: "other", file: path };
  } catch (error) {
    // It cannot be read, or a directory stands where a file should be: lq did not write that.
    if (error instanceof UserError) return { kind: "other", file: null };
    throw error;
  }
}

function folderDifference(
  root: string,
  files: FileDigests,
  path: string,
  written: readonly TreeEntry[],
): Difference {
  const { disk } = files;
  const dangling: string[] = [];
  const names = filesUnder(root, path, disk, dangling);
  if (names.length === 0 && disk.find(absolute(root, path).replace(/\/$/, ""))?.isDirectory() !== true)
    return { kind: "other", file: null };
  const entries = written.filter(({ name }) => !disk.ignore.covers(path, name));
  const isSame = ({ name, digest }: TreeEntry): boolean => files.digest(path + name) === digest;
  // Both lists are sorted, and are usually equal.
  if (names.length === entries.length && dangling.length === 0)
    if (entries.every((entry, i) => entry.name === names[i] && isSame(entry))) return NO_DIFFERENCE;
  const known = new Map(entries.map(({ name, digest }) => [name, digest]));
  const listed = new Set(names);
  const there = [...names, ...dangling];
  const more = there.find((name) => !known.has(name));
  const other = entries.find((entry) => !listed.has(entry.name) || !isSame(entry))?.name;
  if (other === undefined) return more === undefined ? NO_DIFFERENCE : { kind: "more", file: path + more };
  const edited = there.find((name) => known.has(name) && files.digest(path + name) !== known.get(name));
  return { kind: "other", file: path + (more ?? edited ?? other) };
}

/** Whether an executable file of an output, otherwise unchanged, is executable no more. */
export function hasLostMode(root: string, files: FileDigests, output: WrittenOutput): boolean {
  const parts = output.kind === "file" ? [{ ...output, name: "" }] : output.entries;
  return parts.some(({ name, executable, signature }) => {
    const path = output.path + name;
    // A change of the mode moves the signature.
    return (
      executable === true && !sameSignature(files.signature(path), signature) && !isExecutable(root, path)
    );
  });
}

/** False also if there is no such file. */
export function isExecutable(root: string, path: string): boolean {
  const stats = statSync(absolute(root, path), { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & 0o100) !== 0;
}
