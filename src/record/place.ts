/**
 * Moves staged outputs into place. At every moment the path has the whole old output, the whole new one, or nothing.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, UserError } from "../model/errors.ts";
import { absolute } from "../model/paths.ts";
import { makeFolder } from "../files/make-folder.ts";
import { rename as renameWithin } from "../files/network-files.ts";
import { discard, remove } from "../files/remove.ts";
import { STAGING } from "../model/layout.ts";
import { removeAround } from "./strays.ts";

/** Permission bits with which a folder's owner can change its content. */
const WRITABLE = 0o700;

/**
 * @param staged absolute path of the finished output; it is moved away
 * @param path path of the output in the project; a directory ends in "/"
 * @param strays names of files in the folder that is there, which stay where they are. The folder is then replaced file
 *   by file, and not at one moment.
 */
export function place(root: string, staged: string, path: string, strays: readonly string[] = []): void {
  const from = staged.replace(/\/$/, "");
  const to = absolute(root, path).replace(/\/$/, "");
  try {
    const there = lstatSync(to, { throwIfNoEntry: false });
    // A rename replaces a file with a file in one step. Anything else is moved aside first.
    if (strays.length > 0) {
      removeAround(to, strays);
      merge(from, to);
    } else if (there === undefined) moveInto(root, from, to);
    else if (!path.endsWith("/") && !there.isDirectory()) move(from, to, there);
    else replace(root, from, to);
  } catch (error) {
    throw asUserError(error, path);
  }
}

/** Moves everything out of a folder into another one, which has only strays and their folders. */
function merge(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (lstatSync(source).isDirectory() && lstatSync(target, { throwIfNoEntry: false }) !== undefined)
      merge(source, target);
    else rename(source, target);
  }
  remove(from);
}

function replace(root: string, from: string, to: string): void {
  const aside = join(root, STAGING, `aside-${randomUUID()}`);
  mkdirSync(dirname(aside), { recursive: true });
  move(to, aside);
  try {
    move(from, to);
  } catch (error) {
    move(aside, to);
    throw error;
  }
  // A file that a program still has open is removed later, with the staging folder.
  discard(aside);
}

/** Makes the output's folder only if the rename fails, because the folder is missing only for the first output. */
function moveInto(root: string, from: string, to: string): void {
  try {
    rename(from, to);
  } catch (error) {
    const code = errorCode(error);
    // Another machine made a folder at this path, and this machine saw it only now.
    if (code === "ENOTEMPTY" || code === "EEXIST") return replace(root, from, to);
    if (code !== "ENOENT") throw error;
    makeFolder(dirname(to));
    rename(from, to);
  }
}

/** Renames to a path that may be in use already. */
function move(from: string, to: string, there?: Stats): void {
  rename(from, to, there);
  // If both paths are links of one file, rename does nothing and leaves both.
  if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) remove(from);
}

/** Renames, or copies if the two paths are on different file systems. */
function rename(from: string, to: string, there?: Stats): void {
  try {
    renameWithin(from, to, there);
  } catch (error) {
    const code = errorCode(error);
    // A move changes the folder's entry "..", so its owner needs write permission, which a task may have taken away.
    if (code === "EACCES" && openFolder(from)) return rename(from, to);
    if (code !== "EXDEV") throw error;
    // The output's folder is on another file system: first make a whole copy beside the place.
    const near = `${to}.lq-${randomUUID()}`;
    try {
      cpSync(from, near, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      renameWithin(near, to);
    } finally {
      remove(near);
    }
    remove(from);
  }
}

/** Gives the owner write permission. @returns false if the path is not a folder, or has the permission already */
function openFolder(path: string): boolean {
  const stats = lstatSync(path);
  if (!stats.isDirectory() || (stats.mode & WRITABLE) === WRITABLE) return false;
  chmodSync(path, (stats.mode & 0o777) | WRITABLE);
  return true;
}

function asUserError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new UserError({
      message: `the output ${path} cannot be put in place: permission denied`,
      hint: "check the permissions of its folder",
    });
  if (code === "ENOTDIR" || code === "EEXIST")
    return new UserError({
      message: `the output ${path} cannot be put in place: a folder of its path is a file`,
      hint: "move this file away",
    });
  if (code === "ENOSPC" || code === "EDQUOT")
    return new UserError({
      message: `the output ${path} cannot be put in place: the disk is full`,
      hint: "free some space and build again",
    });
  return error;
}
