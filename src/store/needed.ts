/**
 * Keeps lists of what the projects that share a store need, so that a collection by one project keeps what the others
 * need. Each project has a list, NEEDED/ID. Its first line is JSON and names the project. The other lines are keys of
 * actions and digests of objects.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { readLockFile } from "../lockfile/lockfile.ts";
import { ifThere, rename } from "../files/network-files.ts";
import { NEEDED } from "../model/layout.ts";
import type { State } from "../state/state.ts";
import { makeStoreFolder } from "./store-folder.ts";

const Owner = z.object({ host: z.string(), root: z.string() });
type Owner = z.infer<typeof Owner>;

/** The keys and digests of a project's outputs, and the keys in its lq.lock. */
export function neededBy(root: string, state: State): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const { key, outputs } of state.written()) {
    if (key !== null) needed.add(key);
    for (const output of outputs)
      for (const { digest } of output.kind === "file" ? [output] : output.entries) needed.add(digest);
  }
  for (const { key } of readLockFile(root).values()) needed.add(key);
  return needed;
}

/** @param folder of a store that is not the project's own */
export function writeNeeded(folder: string, root: string, needed: Iterable<string>): void {
  const lists = join(folder, NEEDED);
  makeStoreFolder(folder, lists);
  const owner = ownerHere(root);
  const file = join(lists, projectId(root));
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, [JSON.stringify(owner), ...[...needed].sort(), ""].join("\n"));
  // Let everybody who may enter the folder read the file, with any umask.
  chmodSync(temporary, 0o644);
  rename(temporary, file);
}

/** Whether projects have left lists of what they need. */
export function hasNeeded(folder: string): boolean {
  return existsSync(join(folder, NEEDED));
}

/** For all projects except the one at `root`. A project whose folder on this machine is gone needs nothing. */
export function neededByOthers(folder: string, root: string): Set<string> {
  const needed = new Set<string>();
  if (!hasNeeded(folder)) return needed;
  const lists = join(folder, NEEDED);
  const own = projectId(root);
  for (const name of readdirSync(lists)) {
    if (name.includes(".") || name === own) continue;
    const [first = "", ...names] = (ifThere(() => readFileSync(join(lists, name), "utf8")) ?? "").split("\n");
    const owner = ownerOf(first);
    if (owner?.host === hostname() && isGone(owner.root)) continue;
    for (const each of names) if (each !== "") needed.add(each);
  }
  return needed;
}

function ownerHere(root: string): Owner {
  return { host: hostname(), root };
}

/** The name of a project in a store that it shares. */
export function projectId(root: string): string {
  return createHash("sha256")
    .update(JSON.stringify(ownerHere(root)))
    .digest("hex")
    .slice(0, 32);
}

/** A folder that this user cannot see, as in another user's home, does not count as gone. */
function isGone(root: string): boolean {
  try {
    return statSync(root, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function ownerOf(line: string): Owner | undefined {
  try {
    return Owner.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
