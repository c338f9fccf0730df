/**
 * The graph that a snapshot stands for, as far as a build needs it that starts from changed files: which tasks looked
 * at which files, who waits for whom, the digests of the files, and where the tasks' records are in the state log.
 * Whatever else a task is, the pipeline says.
 *
 * On disk (src/snapshot/columns.ts), with tasks in an order in which each comes after those it waits for, and files
 * numbered as the contents of the snapshot: a float64 a task, the place of its record; 32 bytes a file, its digest;
 * the files that each task reads, those that it makes, and the tasks that it waits for, each as int32 offsets and
 * the list that they point into; JSON of rule and bindings of each task; the folders that tasks make.
 *
 * Rejected: keeping tasks whole (ten times the size, and the pipeline makes them in no time); finding the readers
 * of a file by the patterns of the rules (not all that a task reads is in one).
 */
import { join } from "node:path";
import type { AxisValue, Task } from "../model/model.ts";
import { GRAPH_SNAPSHOT } from "../model/layout.ts";
import { bytesOf, float64sOf, int32sOf, readColumns, Texts, writeColumns } from "./columns.ts";

export interface GraphSnapshot {
  readonly head: GraphSnapshotHead;
  /** Where each task's record is in the state log. */
  readonly places: Float64Array;
  readonly digests: Digests;
  /** Numbers of files, by task; those in folders too. */
  readonly reads: Lists;
  readonly makes: Lists;
  /** Positions of tasks, by task. */
  readonly makers: Lists;
  /** Of each task what `nameOf` gave. */
  readonly names: Texts;
  /** Outputs that are folders. */
  readonly folders: Texts;
}

export interface GraphSnapshotHead {
  /** Places of the records that count and are no task's. */
  readonly others: readonly number[];
  /** Positions of tasks whose outputs say which other tasks there are. */
  readonly shaping: readonly number[];
}

const MAGIC = "lqgr\x02";

/** @returns its checksum */
export function writeGraphSnapshot(root: string, graph: GraphSnapshot): number {
  const { head, places, digests, reads, makes, makers, names, folders } = graph;
  const lists = [reads, makes, makers].flatMap(({ starts, items }) => [bytesOf(starts), bytesOf(items)]);
  const columns = [bytesOf(places), digests.bytes, ...lists, names.column, folders.column];
  return writeColumns(join(root, GRAPH_SNAPSHOT), MAGIC, { head, columns });
}

/** Null: there is none of this checksum. */
export function readGraphSnapshot(root: string, checksum: number): GraphSnapshot | null {
  const read = readColumns<GraphSnapshotHead>(join(root, GRAPH_SNAPSHOT), MAGIC);
  if (read?.checksum !== checksum) return null;
  const column = (index: number): Uint8Array => read.columns[index] ?? new Uint8Array();
  const lists = (index: number): Lists => new Lists(int32sOf(column(index)), int32sOf(column(index + 1)));
  return {
    head: read.head,
    places: float64sOf(column(0)),
    digests: new Digests(column(1)),
    reads: lists(2),
    makes: lists(4),
    makers: lists(6),
    names: new Texts(column(8)),
    folders: new Texts(column(9)),
  };
}

/**
 * Positions of the tasks that may have to run when these files have changed: those that read or make one, and all
 * that come after. Null: a file is no task's, or other tasks may come of it.
 */
export function tasksBehind(graph: GraphSnapshot, files: readonly number[]): readonly number[] | null {
  const { head, reads, makes, makers, digests } = graph;
  const isChanged = new Uint8Array(digests.length);
  for (const file of files) isChanged[file] = 1;
  const isBehind = new Uint8Array(makers.length);
  const found: number[] = [];
  const used = new Set<number>();
  for (let task = 0; task < makers.length; task++) {
    if (reads.anyOf(task, isChanged) || makes.anyOf(task, isChanged)) {
      for (const list of [reads, makes])
        for (const file of list.of(task)) if (isChanged[file] === 1) used.add(file);
    } else if (!makers.anyOf(task, isBehind)) continue;
    isBehind[task] = 1;
    found.push(task);
  }
  return used.size < files.length || head.shaping.some((task) => isBehind[task] === 1) ? null : found;
}

/** What the pipeline makes a task of, as JSON: the rule and the values of its axes. */
export function nameOf({ rule, bindings }: Pick<Task, "rule" | "bindings">): string {
  return JSON.stringify([
    rule.name,
    ...bindings.map((value) => (value.fields === null ? value.text : value)),
  ]);
}

export function parseName(name: string): readonly [rule: string, bindings: readonly AxisValue[]] {
  const [rule, ...values] = JSON.parse(name) as [string, ...(string | AxisValue)[]];
  return [rule, values.map((value) => (typeof value === "string" ? { text: value, fields: null } : value))];
}

/** A list of numbers for each of several. */
export class Lists {
  readonly starts: Int32Array;
  readonly items: Int32Array;

  constructor(starts: Int32Array, items: Int32Array) {
    this.starts = starts;
    this.items = items;
  }

  static from(lists: Iterable<readonly number[]>): Lists {
    const starts = [0];
    const items: number[] = [];
    for (const list of lists) {
      for (const item of list) items.push(item);
      starts.push(items.length);
    }
    return new Lists(Int32Array.from(starts), Int32Array.from(items));
  }

  get length(): number {
    return this.starts.length - 1;
  }

  of(index: number): Int32Array {
    return this.items.subarray(this.starts[index], this.starts[index + 1]);
  }

  /** Whether a number of a list is one of those that are marked with 1. */
  anyOf(index: number, marked: Uint8Array): boolean {
    const end = this.starts[index + 1] ?? 0;
    for (let i = this.starts[index] ?? 0; i < end; i++) if (marked[this.items[i] ?? 0] === 1) return true;
    return false;
  }
}

export class Digests {
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static from(digests: readonly string[]): Digests {
    return new Digests(Buffer.from(digests.join(""), "hex"));
  }

  get length(): number {
    return this.bytes.length / DIGEST_BYTES;
  }

  get(index: number): string {
    return this.bytes.toString("hex", index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  set(index: number, digest: string): void {
    this.bytes.write(digest, index * DIGEST_BYTES, "hex");
  }
}

const DIGEST_BYTES = 32;
