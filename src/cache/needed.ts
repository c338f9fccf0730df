/**
 * Which keys the projects that share a store have outputs of: a list a project, NEEDED/ID, so that a clean-up by one
 * of them spares what the others need. Its first line is JSON and says whose it is, the others are keys.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { NEEDED } from "../record/layout.ts";
import type { State } from "../record/state.ts";

const Owner = z.object({ host: z.string(), root: z.string() });

/** The keys that the outputs in place were made under. */
export function keysOf(state: State): ReadonlySet<string> {
  return new Set([...state.all()].flatMap(({ key }) => key ?? []));
}

/** @param folder of a store that is not the project's own */
export function writeNeeded(folder: string, root: string, keys: Iterable<string>): void {
  const owner = { host: hostname(), root };
  const id = createHash("sha256").update(JSON.stringify(owner)).digest("hex").slice(0, 32);
  mkdirSync(join(folder, NEEDED), { recursive: true });
  const file = join(folder, NEEDED, id);
  writeFileSync(`${file}.${process.pid}`, [JSON.stringify(owner), ...[...keys].sort(), ""].join("\n"));
  renameSync(`${file}.${process.pid}`, file);
}

/** The keys of all projects; those whose folder on this machine is gone need nothing any more. */
export function readNeeded(folder: string): Set<string> {
  const needed = new Set<string>();
  const lists = join(folder, NEEDED);
  if (!existsSync(lists)) return needed;
  for (const name of readdirSync(lists)) {
    if (name.includes(".")) continue;
    const [first = "", ...keys] = readFileSync(join(lists, name), "utf8").split("\n");
    const owner = ownerOf(first);
    if (owner !== undefined && owner.host === hostname() && !existsSync(owner.root)) continue;
    for (const key of keys) if (key !== "") needed.add(key);
  }
  return needed;
}

function ownerOf(line: string): z.infer<typeof Owner> | undefined {
  try {
    return Owner.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
