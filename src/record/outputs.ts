/** What lq finds where it wrote an output. */
import { lstatSync } from "node:fs";
import { UserError } from "../errors.ts";
import type { FileDigests } from "../fingerprint/files.ts";
import { absolute } from "../fingerprint/paths.ts";
import { filesUnder } from "../fingerprint/tree.ts";
import type { WrittenOutput } from "./records.ts";
import type { State } from "./state.ts";

export type OutputState =
  /** As the task last wrote it. */
  | "intact"
  | "missing"
  /** Written by lq, but not what the task last finished: by a build that was killed, or for another task. */
  | "replaced"
  /** Edited since lq wrote it. */
  | "edited"
  /** There, but lq has no record of writing it. */
  | "foreign";

/** @param files this build's view, by whose digests a file that was only touched is not taken for edited */
export function outputState(
  root: string,
  state: State,
  files: FileDigests,
  id: string,
  path: string,
): OutputState {
  const own = state.last(id)?.outputs.find((each) => each.path === path);
  if (own !== undefined && isAsWritten(root, files, own)) return "intact";
  if (!exists(root, path)) return "missing";
  const owner = state.owner(path);
  const others = [owner?.output, ...state.interrupted(id), ...state.interrupted(owner?.id ?? id)];
  for (const other of others) if (other?.path === path && isAsWritten(root, files, other)) return "replaced";
  return owner === undefined && own === undefined ? "foreign" : "edited";
}

/** Whether an output on the disk is what lq wrote there. */
export function isAsWritten(root: string, files: FileDigests, output: WrittenOutput): boolean {
  try {
    if (output.kind === "file") return files.digest(output.path) === output.digest;
    const names = filesUnder(root, output.path, files.disk);
    return (
      names.length === output.entries.length &&
      output.entries.every(
        (entry, i) => names[i] === entry.name && files.digest(output.path + entry.name) === entry.digest,
      )
    );
  } catch (error) {
    // Something unreadable, or a directory for a file: not what lq wrote.
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Whether lq wrote the file at a path, itself or in a directory output, and nobody changed it since. */
export function isUntouched(state: State, files: FileDigests, path: string): boolean {
  const written = state.writtenFile(path);
  return written !== undefined && files.digest(path) === written.digest;
}

function exists(root: string, path: string): boolean {
  const bare = absolute(root, path).replace(/\/$/, "");
  try {
    return lstatSync(bare, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
