/**
 * What lq checks of an action that a remote cache gives, before anything is done with it. The key must follow from the
 * recipe, so a remote cannot answer with the result of another task. Whether the outputs are what the recipe makes
 * cannot be checked: whoever may write to the remote is trusted with that.
 */
import { treeDigest } from "../fingerprint/tree.ts";
import { partsOf, decodeAction, type Action, type StoredOutput } from "../store/action.ts";
import type { ListedFile } from "./action-result.ts";
import { WrongContent } from "./trouble.ts";

/** An action of a remote, checked. */
export interface RemoteRun {
  readonly action: Action;
  /** Its JSON, as the remote has it. */
  readonly text: string;
  /** Bytes of its objects, by digest. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Most bytes of a name in a file system, and of a path that lq takes from a remote. */
const MOST_NAME = 255;
const MOST_PATH = 3_000;
/** The largest time that a date can have, in milliseconds. */
const LAST_TIME = 8.64e15;

/** @throws WrongContent */
export function checkAction(key: string, text: string, files: readonly ListedFile[]): RemoteRun {
  const action = decodeAction(text, key);
  if (action === null)
    throw new WrongContent(`the action of key ${key.slice(0, 12)} is damaged, or another one`);
  const refuse = (why: string): never => {
    throw new WrongContent(`the action of key ${key.slice(0, 12)} ${why}`);
  };
  if (action.accepted !== undefined) refuse("was accepted, not made");
  if (!(action.seconds >= 0) || !(Math.abs(action.finished) <= LAST_TIME)) refuse("has impossible times");
  for (const [i, output] of action.outputs.entries()) {
    const isFolder = action.recipe.outputs[i]?.path.endsWith("/") === true;
    if (isFolder !== (output.kind === "directory")) refuse("has a file for a folder, or the reverse");
    if (!canLieInFolder(output)) refuse("has a folder that cannot exist");
  }
  const listed = new Map(files.map(({ digest, size }) => [digest, size]));
  const sizes = new Map<string, number>();
  for (const { digest } of action.outputs.flatMap(partsOf)) {
    const size = listed.get(digest);
    if (size === undefined) return refuse(`does not list its object ${digest.slice(0, 12)}`);
    sizes.set(digest, size);
  }
  return { action, text, sizes };
}

/** Whether the digest of a folder is that of its entries, and all of them can exist beside each other. */
function canLieInFolder(output: StoredOutput): boolean {
  if (output.kind === "file") return true;
  const { digest, entries } = output;
  const names = entries.map(({ name }) => name);
  const files = new Set(names);
  const isSorted = names.every((name, i) => i === 0 || (names[i - 1] ?? "") < name);
  return (
    isSorted && names.every((name) => fits(name) && isFree(name, files)) && treeDigest(entries) === digest
  );
}

function fits(name: string): boolean {
  return (
    Buffer.byteLength(name) <= MOST_PATH &&
    name.split("/").every((part) => Buffer.byteLength(part) <= MOST_NAME)
  );
}

/** Whether no folder of the path is a file. */
function isFree(name: string, files: ReadonlySet<string>): boolean {
  for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1))
    if (files.has(name.slice(0, end))) return false;
  return true;
}
