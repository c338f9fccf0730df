/**
 * A snapshot: everything that a build in whose end all tasks of its request are fresh asked the disk, and what it was
 * told. While the answers are the same, so is the finding; nothing need be read, expanded or compared.
 * Where only contents of files differ, the graph is still the same, and what is to be done lies behind those
 * files (src/snapshot/graph-snapshot.ts).
 *
 * On disk (src/snapshot/columns.ts): a head, of what was asked for; four float64 a path: size, mtime, ctime, inode
 * (size -1: nothing there); the paths, relative to the project or absolute, NUL between them: first those that
 * the graph was made of, then those of which only the contents count. There is one a project, of the last such
 * build.
 *
 * Rejected: watching by a daemon (another process to trust).
 */
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
  /** What was asked for, as `askSnapshot` is to be asked. */
  readonly request: string;
  /** How many tasks that covers. */
  readonly tasks: number;
  /** Environment variables that are part of keys, with digests of their values, which may be secrets. */
  readonly environment: readonly (readonly [name: string, digest: string])[];
  /** How many of the paths, from the first, the graph was made of. */
  readonly structure: number;
  /** Checksum of the graph snapshot; null: there is none. */
  readonly graph: number | null;
}

export interface Asked {
  readonly snapshot: Snapshot;
  /** Indices of the paths that are files as before, with another signature. None: all is fresh. */
  readonly changed: readonly number[];
}

interface Environment {
  readonly [name: string]: string | undefined;
}

const MAGIC = "lqsl\x02";

/** To be called by the holder of the project's lock. */
export function writeSnapshot(root: string, { head, signatures, paths }: Snapshot): void {
  const columns = [bytesOf(signatures.numbers), paths.column];
  writeColumns(join(root, SNAPSHOT), MAGIC, { head, columns });
}

/** Null: there is no snapshot of such a request, or more has changed than the contents of files. */
export function askSnapshot(root: string, request: string, environment: Environment): Asked | null {
  const read = readColumns<SnapshotHead>(join(root, SNAPSHOT), MAGIC);
  if (read?.head.request !== request) return null;
  const { head, columns } = read;
  if (head.environment.some(([name, digest]) => environmentDigest(environment[name]) !== digest)) return null;
  const [numbers = new Uint8Array(), texts = new Uint8Array()] = columns;
  const snapshot = { head, signatures: new Signatures(float64sOf(numbers)), paths: new Texts(texts) };
  if (!isGraphSame(root, snapshot)) return null;
  const changed: number[] = [];
  const folder = prefixOf(root);
  const paths = snapshot.paths.list;
  for (let i = head.structure; i < paths.length; i++) {
    const stats = statOrNothing(folder, paths[i]);
    if (snapshot.signatures.matches(i, stats)) continue;
    if (stats?.isFile() !== true) return null;
    changed.push(i);
  }
  return { snapshot, changed };
}

/** Whether all that the graph was made of is, at this moment, as it was. */
export function isGraphSame(root: string, { head, signatures, paths }: Snapshot): boolean {
  const folder = prefixOf(root);
  for (let i = 0; i < head.structure; i++)
    if (!signatures.matches(i, statOrNothing(folder, paths.list[i]))) return false;
  return true;
}

export function environmentDigest(value: string | undefined): string {
  return value === undefined ? "" : sha256(value);
}

/** Of one path after the other. */
export class Signatures {
  readonly numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  static of(signatures: readonly (Signature | null)[]): Signatures {
    const made = new Signatures(new Float64Array(signatures.length * NUMBERS));
    for (const [i, signature] of signatures.entries()) made.set(i, signature);
    return made;
  }

  get(index: number): Signature | null {
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

  set(index: number, signature: Signature | null): void {
    const { size, mtimeMs, ctimeMs, ino } = signature ?? NOTHING;
    this.numbers.set([size, mtimeMs, ctimeMs, ino], index * NUMBERS);
  }

  isAbsent(index: number): boolean {
    return this.numbers[index * NUMBERS] === NOTHING.size;
  }

  matches(index: number, stats: Stats | undefined): boolean {
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

/** What a path of the project begins with. In its folder that is nothing: the way down from "/" costs a tenth of a look. */
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
  /** What the request is, in words that another of the same meaning has as well. */
  readonly request: string;
  /** A moment (milliseconds since 1970) before the pipeline was read. */
  readonly since: number;
  /** What the snapshot there was answered a moment ago; null, or left out: nothing. */
  readonly asked?: Asked | null | undefined;
}
