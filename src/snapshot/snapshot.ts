/**
 * A snapshot records every path that a build looked at, with its signature, if all tasks of the request were fresh at
 * the end. While all signatures are the same, all tasks are still fresh, and lq need not read, expand or compare
 * anything. If only contents of files differ, the graph is still the same, and lq looks only at the tasks behind these
 * files (src/snapshot/graph-snapshot.ts).
 *
 * There are two kinds of paths. The first `structure` paths determine the graph (pipeline, params, code, folders). For
 * the other paths only the content counts. These files have their own numbers, which the graph snapshot uses. Only
 * `indexOf` converts between the two. Example with `structure` 2 and five files:
 *
 *     PathIndex    path              FileNumber
 *     0            pipeline.yaml
 *     1            data
 *     2            data/a.nii        0
 *     3            data/b.nii        1
 *     4            scores/a.json     2
 *     5            scores/b.json     3
 *     6            table.md          4
 *
 * If data/b.nii was edited, `askSnapshot` finds `changed: [1]`. If pipeline.yaml was edited, it finds null.
 *
 * On disk (src/snapshot/columns.ts): a head, which describes the request; four float64 for each path: size, mtime,
 * ctime, inode (size -1: nothing there); the paths, relative to the project or absolute, with NUL between them. A
 * project has one snapshot, of its last such build.
 *
 * We rejected a daemon that watches files: it is another process to trust.
 */
import { debug } from "../system/debug.ts";
import { statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../system/digest.ts";
import type { Signature } from "../files/signature.ts";
import { isOutside } from "../model/paths.ts";
import { SNAPSHOT } from "../model/layout.ts";
import { bytesOf, float64sOf, readColumns, Texts, writeColumns } from "./columns.ts";

export interface Snapshot {
  readonly head: SnapshotHead;
  readonly signatures: Signatures;
  readonly paths: Texts;
}

export interface SnapshotHead {
  /** The request, as text; `askSnapshot` compares it. */
  readonly request: string;
  /** How many tasks the request covers. */
  readonly tasks: number;
  /** Notices that each command repeats while the snapshot is valid. */
  readonly notices: readonly string[];
  /** Environment variables that are part of keys. Values may be secrets, so this has their digests. */
  readonly environment: readonly (readonly [name: string, digest: string])[];
  /** How many of the first paths determine the graph. */
  readonly structure: number;
  /** Checksum of the graph snapshot; null: there is none. */
  readonly graph: number | null;
}

declare const kind: unique symbol;
/** A number that the compiler does not confuse with numbers of another kind. */
type Branded<Kind extends string> = number & { readonly [kind]: Kind };
/** Index of a path in `paths` and `signatures` of a snapshot. */
export type PathIndex = Branded<"path">;
/** Number, from 0, of a file for which only the content counts. */
export type FileNumber = Branded<"file">;

/** The index of a file's path. */
export function indexOf({ head }: Pick<Snapshot, "head">, file: FileNumber): PathIndex {
  return (head.structure + file) as PathIndex;
}

export function pathOf(snapshot: Pick<Snapshot, "head" | "paths">, file: FileNumber): string {
  return snapshot.paths.list[indexOf(snapshot, file)] ?? "";
}

/** The paths that determine the graph. */
export function structureOf({ head, paths }: Snapshot): ReadonlyMap<string, PathIndex> {
  return new Map(paths.list.slice(0, head.structure).map((path, i) => [path, i as PathIndex]));
}

export interface Asked {
  readonly snapshot: Snapshot;
  /** Files that are still files, but have another signature. Empty: every task is fresh. */
  readonly changed: readonly FileNumber[];
}

interface Environment {
  readonly [name: string]: string | undefined;
}

const MAGIC = "lqsl\x03";

/** Only the holder of the project's lock may call this. */
export function writeSnapshot(root: string, { head, signatures, paths }: Snapshot): void {
  const columns = [bytesOf(signatures.numbers), paths.column];
  writeColumns(join(root, SNAPSHOT), MAGIC, { head, columns });
}

/**
 * Compares the snapshot with the disk. Null if there is none of this request, or if more than file contents changed.
 */
export function askSnapshot(root: string, request: string, environment: Environment): Asked | null {
  const read = readColumns<SnapshotHead>(join(root, SNAPSHOT), MAGIC);
  if (read === null) return unusable("there is none");
  if (read.head.request !== request) return unusable("it is of another request");
  const { head, columns } = read;
  const variable = head.environment.find(([name, digest]) => environmentDigest(environment[name]) !== digest);
  if (variable !== undefined) return unusable(`the environment variable ${variable[0]} changed`);
  const [numbers = new Uint8Array(), texts = new Uint8Array()] = columns;
  const snapshot = { head, signatures: new Signatures(float64sOf(numbers)), paths: new Texts(texts) };
  if (!isGraphSame(root, snapshot)) return unusable("a file that decides which tasks there are changed");
  const changed: FileNumber[] = [];
  const folder = prefixOf(root);
  const paths = snapshot.paths.list;
  for (let i = 0; i < paths.length - head.structure; i++) {
    const file = i as FileNumber;
    const at = indexOf(snapshot, file);
    const stats = statOrNothing(folder, paths[at]);
    if (snapshot.signatures.matches(at, stats)) continue;
    if (stats?.isFile() !== true) return unusable(`${paths[at]} is no longer a file`);
    debug.snapshot?.(`${paths[at]} changed`);
    changed.push(file);
  }
  debug.snapshot?.(`holds; tasks: ${head.tasks}, changed files: ${changed.length}`);
  return { snapshot, changed };
}

function unusable(why: string): null {
  debug.snapshot?.(`cannot be used: ${why}`);
  return null;
}

/** Whether the paths that determine the graph now have the same signatures. */
export function isGraphSame(root: string, { head, signatures, paths }: Snapshot): boolean {
  const folder = prefixOf(root);
  for (let i = 0; i < head.structure; i++)
    if (!signatures.matches(i as PathIndex, statOrNothing(folder, paths.list[i]))) return false;
  return true;
}

export function environmentDigest(value: string | undefined): string {
  return value === undefined ? "" : sha256(value);
}

/** The signature of each path. */
export class Signatures {
  readonly numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  static of(signatures: readonly (Signature | null)[]): Signatures {
    const made = new Signatures(new Float64Array(signatures.length * NUMBERS));
    for (const [i, signature] of signatures.entries()) made.set(i as PathIndex, signature);
    return made;
  }

  get(index: PathIndex): Signature | null {
    if (this.isAbsent(index)) return null;
    const { numbers } = this;
    const at = index * NUMBERS;
    return {
      size: numbers[at] ?? 0,
      mtimeMs: numbers[at + 1] ?? 0,
      ctimeMs: numbers[at + 2] ?? 0,
      ino: numbers[at + 3] ?? 0,
    };
  }

  set(index: PathIndex, signature: Signature | null): void {
    const { size, mtimeMs, ctimeMs, ino } = signature ?? NOTHING;
    this.numbers.set([size, mtimeMs, ctimeMs, ino], index * NUMBERS);
  }

  isAbsent(index: PathIndex): boolean {
    return this.numbers[index * NUMBERS] === NOTHING.size;
  }

  matches(index: PathIndex, stats: Stats | undefined): boolean {
    const { numbers } = this;
    const at = index * NUMBERS;
    if (stats === undefined) return this.isAbsent(index);
    return (
      stats.size === numbers[at] &&
      stats.mtimeMs === numbers[at + 1] &&
      stats.ctimeMs === numbers[at + 2] &&
      stats.ino === numbers[at + 3]
    );
  }
}

const NUMBERS = 4;
const NOTHING: Signature = { size: -1, mtimeMs: 0, ctimeMs: 0, ino: 0 };

/**
 * Prefix of the project's paths. It is empty in the project's folder, because absolute paths make `stat` 10 % slower.
 */
function prefixOf(root: string): string {
  return process.cwd() === root ? "" : `${root}/`;
}

function statOrNothing(folder: string, path = ""): Stats | undefined {
  try {
    return statSync(isOutside(path) ? path : folder + path || ".", { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export interface SnapshotRequest {
  /** The request, as text. Requests with the same meaning have the same text. */
  readonly request: string;
  /** A time before the pipeline was read, in milliseconds since 1970. */
  readonly since: number;
  /** The result of `askSnapshot`; null or undefined if there is none. */
  readonly asked?: Asked | null | undefined;
}
