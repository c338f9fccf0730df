/** Puts staged outputs into place whole: at every moment the path has the old output or the new, or nothing. */
import { randomUUID } from "node:crypto";
import { chmodSync, cpSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, UserError } from "../model/errors.ts";
import { absolute } from "../model/paths.ts";
import { makeFolder } from "../files/make-folder.ts";
import { rename as renameWithin } from "../files/network-files.ts";
import { discard, remove } from "../files/remove.ts";
import { STAGING } from "../model/layout.ts";

/** What its owner may do with a folder whose content can be changed. */
const WRITABLE = 0o700;

/**
 * @param staged absolute path of the finished output; gone afterwards
 * @param path of the output in the project; a directory ends in "/"
 */
export function place(root: string, staged: string, path: string): void {
  const from = staged.replace(/\/$/, "");
  const to = absolute(root, path).replace(/\/$/, "");
  try {
    const there = lstatSync(to, { throwIfNoEntry: false });
    // A file's rename replaces a file in one step; nothing else can be replaced so, and is moved aside first.
    if (there === undefined) moveInto(root, from, to);
    else if (!path.endsWith("/") && !there.isDirectory()) move(from, to, there);
    else replace(root, from, to);
  } catch (error) {
    throw placeable(error, path);
  }
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
  // What a program still has open goes with the staging folder.
  discard(aside);
}

/** Makes the folder when it turns out not to be there: for the first of its outputs. */
function moveInto(root: string, from: string, to: string): void {
  try {
    rename(from, to);
  } catch (error) {
    const code = errorCode(error);
    // A folder that another machine has made, which is not seen from here until now.
    if (code === "ENOTEMPTY" || code === "EEXIST") return replace(root, from, to);
    if (code !== "ENOENT") throw error;
    makeFolder(dirname(to));
    rename(from, to);
  }
}

/** For when something may be there. */
function move(from: string, to: string, there?: Stats): void {
  rename(from, to, there);
  // Between two links of one file, rename does nothing and leaves both.
  if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) remove(from);
}

/** Also from one file system to another. */
function rename(from: string, to: string, there?: Stats): void {
  try {
    renameWithin(from, to, there);
  } catch (error) {
    const code = errorCode(error);
    // A folder that a task has closed to its owner cannot be moved elsewhere: its ".." is another then.
    if (code === "EACCES" && openFolder(from)) return rename(from, to);
    if (code !== "EXDEV") throw error;
    // The output's folder is on another file system: complete beside the place first.
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

/** @returns false if it is no folder, or open already */
function openFolder(path: string): boolean {
  const stats = lstatSync(path);
  if (!stats.isDirectory() || (stats.mode & WRITABLE) === WRITABLE) return false;
  chmodSync(path, (stats.mode & 0o777) | WRITABLE);
  return true;
}

function placeable(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new UserError({
      message: `the output ${path} cannot be put in place: permission denied`,
      hint: "check the permissions of its folder",
    });
  if (code === "ENOTDIR" || code === "EEXIST")
    return new UserError({
      message: `the output ${path} cannot be put in place: a folder of its path is a file`,
      hint: "move that file away",
    });
  if (code === "ENOSPC" || code === "EDQUOT")
    return new UserError({
      message: `the output ${path} cannot be put in place: the disk is full`,
      hint: "free some space and build again",
    });
  return error;
}
