/** Finds the state of an output on disk, compared with what lq wrote there. */
import { readlinkSync, statSync } from "node:fs";
import { errorCode, UserError, type Diagnostic } from "../model/errors.ts";
import type { FileDigests } from "../files/files.ts";
import { linkStats } from "../files/link-stats.ts";
import { absolute } from "../model/paths.ts";
import { filesUnder } from "../fingerprint/tree.ts";
import { differenceFrom, hasLostMode, isAsWritten } from "./difference.ts";
import { straysIn } from "./strays.ts";
import type { WrittenOutput } from "../state/records.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../store/store.ts";

export type OutputState =
  /** The output has not changed since the task last wrote it. */
  | "intact"
  /** The same, but somebody put more files into the folder. */
  | "extended"
  | "missing"
  /**
   * lq wrote it, but not in the last finished run of the task: a killed build wrote it, or another task, or a power cut
   * lost the record. The cache has the content, so replacing it loses nothing.
   */
  | "replaced"
  /** Somebody edited it since lq wrote it. */
  | "edited"
  /** The system refuses to read it, so lq cannot see whether it was edited. */
  | "unreadable"
  /** It is there, but lq has no record of writing it, and the cache does not have its content. */
  | "foreign";

/** States in which replacing an output could lose content that lq did not make. */
export type ProtectedState = Extract<OutputState, "extended" | "edited" | "unreadable" | "foreign">;

export function isProtected(state: OutputState): state is ProtectedState {
  return ["extended", "edited", "unreadable", "foreign"].includes(state);
}

/** Whether everything that lq wrote is there. */
export function isWhole(state: OutputState): boolean {
  return state === "intact" || state === "extended";
}

/**
 * Whether a link is at the path of a directory output. lq makes directories there and never links, so the link belongs
 * to the user, even if lq made its target.
 */
export function isLinkedFolder(root: string, path: string): boolean {
  return path.endsWith("/") && isLink(root, path);
}

/** What `outputState` reads. */
export interface OutputView {
  readonly root: string;
  readonly state: State;
  readonly store: Store;
  /** The files of this build. It compares digests, so a file that was only touched does not count as edited. */
  readonly files: FileDigests;
}

export function outputState(known: OutputView, id: string, path: string): OutputState {
  const { root, state, store, files } = known;
  const own = state.last(id)?.outputs.find((each) => each.path === path);
  const difference = own && differenceFrom(root, files, own);
  if (difference?.kind === "none") return own && hasLostMode(root, files, own) ? "replaced" : "intact";
  if (difference?.kind === "more") return "extended";
  const found = look(root, path);
  if (found === "unreadable") return "unreadable";
  if (found === "nothing") return isUsersLink(root, path) ? "foreign" : "missing";
  if (own !== undefined && isHollow(root, files, own)) return "missing";
  const owner = state.owner(path);
  const others = [owner?.output, ...state.interrupted(id), ...state.interrupted(owner?.id ?? id)];
  for (const other of others) if (other?.path === path && isAsWritten(root, files, other)) return "replaced";
  if (!path.endsWith("/") && straysIn(root, files, path, []).length > 0) return "foreign";
  if (owner === undefined && own === undefined) {
    const isCached = [path, otherKind(path)].some((each) => isKept(root, store, files, each, NO_NAMES));
    return isCached || isMadeOtherKind(known, path) ? "replaced" : "foreign";
  }
  const names = new Set([own, owner?.output].flatMap((each) => (each === undefined ? [] : namesIn(each))));
  if (isKept(root, store, files, path, names)) return "replaced";
  return whyUnreadable(known, path) === null ? "edited" : "unreadable";
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Whether the output was a file and is now a directory, or the reverse, and lq wrote what is there. */
function isMadeOtherKind({ root, state, files }: OutputView, path: string): boolean {
  const other = state.owner(otherKind(path));
  return other !== undefined && isAsWritten(root, files, other.output);
}

/** The path as a directory if it is a file, and the reverse. */
function otherKind(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
}

/** The state of an output of a task outside the request. This does not look at the cache. */
export function recordedOutputState(
  known: Pick<OutputView, "root" | "files">,
  output: WrittenOutput,
): "intact" | "missing" | "edited" | "unreadable" {
  const { root, files } = known;
  if (isAsWritten(root, files, output)) return "intact";
  const found = look(root, output.path);
  // A link to a cached object that was collected is still a link that lq made.
  if (found === "nothing" && isUsersLink(root, output.path)) return "edited";
  if (found === "nothing") return isLink(root, output.path) ? "intact" : "missing";
  return found === "something" && whyUnreadable(known, output.path) === null ? "edited" : "unreadable";
}

/**
 * Whether the cache has every file at the path, so that removing them loses nothing. A power cut can leave empty
 * files; an empty file counts as kept if lq wrote a file of this name.
 */
function isKept(
  root: string,
  store: Store,
  files: FileDigests,
  path: string,
  written: ReadonlySet<string>,
): boolean {
  return ifReadable(() => {
    const dangling: string[] = [];
    const names = namesAt(root, files, path, dangling);
    if (dangling.some((name) => isUsersLink(root, path + name))) return false;
    return names.every((name) => {
      const size = files.signature(path + name)?.size;
      if (size === 0) return written.has(name);
      const digest = files.digest(path + name);
      return digest !== null && store.sizeOf(digest) === size;
    });
  });
}

/** Why the system refuses to read an output; null if it does not refuse. Such an output only seems edited. */
export function whyUnreadable(
  { root, files }: Pick<OutputView, "root" | "files">,
  path: string,
): Diagnostic | null {
  try {
    for (const name of namesAt(root, files, path)) files.digest(path + name);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.cause === undefined ? null : (error.diagnostics[0] ?? null);
  }
}

/** `whyUnreadable` as text: "labels/1.txt cannot be read: permission denied". */
export function refusalText(known: Pick<OutputView, "root" | "files">, path: string): string {
  return whyUnreadable(known, path)?.message ?? `${path} cannot be read`;
}

function namesAt(root: string, files: FileDigests, path: string, dangling?: string[]): readonly string[] {
  return path.endsWith("/") ? filesUnder(root, path, files.disk, dangling) : [""];
}

/** A file that makes an output differ from what lq wrote: in a folder, one of its files. */
export function differingFile(
  { root, state, files }: Omit<OutputView, "store">,
  id: string,
  path: string,
): string {
  const own = state.last(id)?.outputs.find((each) => each.path === path) ?? state.owner(path)?.output;
  const difference = own && differenceFrom(root, files, own);
  if (difference !== undefined && difference.kind !== "none") return difference.file ?? path;
  const [stray] = path.endsWith("/") ? [] : straysIn(root, files, path, []);
  return stray === undefined ? path : `${path}/${stray}`;
}

/** The strays in an output that lq wrote. */
export function straysOf(
  { root, files }: Pick<OutputView, "root" | "files">,
  output: WrittenOutput,
): readonly string[] {
  return output.kind === "file" ? [] : straysIn(root, files, output.path, output.entries);
}

/** The files of an output, relative to its path; [""] if the output is a file itself. */
function namesIn(output: WrittenOutput): readonly string[] {
  return output.kind === "file" ? [""] : output.entries.map(({ name }) => name);
}

/** False if something cannot be read, or if a directory is at the path of a file: lq did not write that. */
function ifReadable(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Whether a directory is as lq wrote it, except for links whose cached objects were collected. */
function isHollow(root: string, files: FileDigests, output: WrittenOutput): boolean {
  if (output.kind === "file") return false;
  const paths = output.entries.map(({ name }) => output.path + name);
  const isLost = paths.map(
    (path) => look(root, path) === "nothing" && isLink(root, path) && !isUsersLink(root, path),
  );
  if (!isLost.includes(true)) return false;
  const { disk } = files;
  const rest = output.entries.filter(({ name }, i) => !isLost[i] && !disk.ignore.covers(output.path, name));
  return ifReadable(() => {
    const names = filesUnder(root, output.path, disk);
    const isSame = (name: string, i: number): boolean =>
      rest[i]?.name === name && rest[i].digest === files.digest(output.path + name);
    return names.length === rest.length && names.every(isSame);
  });
}

/** Whether lq wrote the file at a path, as an output or inside one, and nobody has changed it since. */
export function isUntouched(state: State, files: FileDigests, path: string): boolean {
  const written = state.writtenFile(path);
  return written === undefined ? false : files.digest(path) === written.digest;
}

/** A broken link counts as nothing: an output becomes one when a collection removes the cached object behind it. */
function look(root: string, path: string): "something" | "nothing" | "unreadable" {
  try {
    return statSync(bare(root, path), { throwIfNoEntry: false }) === undefined ? "nothing" : "something";
  } catch (error) {
    const code = errorCode(error);
    return code === "ENAMETOOLONG" || code === "ENOTDIR" ? "nothing" : "unreadable";
  }
}

/** Whether a link leads elsewhere than to an object of a cache. */
function isUsersLink(root: string, path: string): boolean {
  return isLink(root, path) && !/objects\/[0-9a-f]{2}\/[0-9a-f]{62}$/.test(readlinkSync(bare(root, path)));
}

function isLink(root: string, path: string): boolean {
  return linkStats(bare(root, path))?.isSymbolicLink() === true;
}

/** The path without a trailing slash, so that `lstat` sees a link to a directory and not the directory. */
function bare(root: string, path: string): string {
  return absolute(root, path).replace(/\/$/, "");
}
