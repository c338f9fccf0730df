/**
 * The graph of a snapshot. It has what an incremental session needs: which tasks read and make which files, which tasks
 * they wait for, the digests of the files, and where the tasks' records are in the state log. The pipeline has
 * everything else about a task.
 *
 * A task's position is its index here; each task comes after the tasks that it waits for. Files have the numbers of the
 * snapshot. Example: `score:a` and `score:b` read data/a.nii (0) and data/b.nii (1) and make scores/a.json (2) and
 * scores/b.json (3); `table` reads both scores and makes table.md (4):
 *
 *     TaskPosition   name      reads    makes   makers
 *     0              score:a   [0]      [2]     []
 *     1              score:b   [1]      [3]     []
 *     2              table     [2, 3]   [4]     [0, 1]
 *
 * Behind file 1 are the tasks 1 (it reads the file) and 2 (it waits for task 1).
 * A column of lists is stored as `starts` and `items`: `reads` is starts [0, 1, 2, 4] and items [0, 1, 2, 3].
 *
 * On disk (src/snapshot/columns.ts): a float64 for each task, the place of its record; 32 bytes for each file, its
 * digest; `reads`, `makes` and `makers`, each as int32 starts and int32 items; rule and bindings of each task as JSON;
 * the folders that tasks make.
 *
 * We rejected storing whole tasks, which takes ten times the space while the pipeline makes them quickly. We rejected
 * finding the readers of a file by the patterns of the rules, because a task may read files that no pattern names.
 */
import { join } from "node:path";
import type { AxisValue, Task } from "../model/model.ts";
import { GRAPH_SNAPSHOT } from "../model/layout.ts";
import { bytesOf, float64sOf, int32sOf, readColumns, Texts, writeColumns } from "./columns.ts";
import type { FileNumber } from "./snapshot.ts";

export interface GraphSnapshot {
  readonly head: GraphSnapshotHead;
  /** The place of each task's record in the state log. */
  readonly places: Float64Array;
  readonly digests: Digests;
  /** Files of each task, with the files in its folders. */
  readonly reads: Lists<TaskPosition, FileNumber>;
  readonly makes: Lists<TaskPosition, FileNumber>;
  /** The tasks that each task waits for. */
  readonly makers: Lists<TaskPosition, TaskPosition>;
  /** The `nameOf` text of each task. */
  readonly names: Texts;
  /** Outputs that are folders. */
  readonly folders: Texts;
}

export interface GraphSnapshotHead {
  /** Places of the live records that belong to no task. */
  readonly others: readonly number[];
  /** Tasks whose outputs decide which other tasks there are. */
  readonly shaping: readonly TaskPosition[];
}

declare const position: unique symbol;
/** Index of a task in a graph snapshot. */
export type TaskPosition = number & { readonly [position]: true };

const MAGIC = "lqgr\x02";

/** @returns its checksum */
export function writeGraphSnapshot(root: string, graph: GraphSnapshot): number {
  const { head, places, digests, reads, makes, makers, names, folders } = graph;
  const lists = [reads, makes, makers].flatMap(({ starts, items }) => [bytesOf(starts), bytesOf(items)]);
  const columns = [bytesOf(places), digests.bytes, ...lists, names.column, folders.column];
  return writeColumns(join(root, GRAPH_SNAPSHOT), MAGIC, { head, columns });
}

/** Null if there is no graph snapshot with this checksum. */
export function readGraphSnapshot(root: string, checksum: number): GraphSnapshot | null {
  const read = readColumns<GraphSnapshotHead>(join(root, GRAPH_SNAPSHOT), MAGIC);
  if (read?.checksum !== checksum) return null;
  const column = (index: number): Uint8Array => read.columns[index] ?? new Uint8Array();
  const lists = <T extends number>(index: number) =>
    new Lists<TaskPosition, T>(int32sOf(column(index)), int32sOf(column(index + 1)));
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
 * The tasks that may have to run after a change of these files: tasks that read or make one of them, and all tasks that
 * wait for those. Null: no task uses one of the files, or the change may add or remove tasks.
 */
export function tasksBehind(
  graph: GraphSnapshot,
  files: readonly FileNumber[],
): readonly TaskPosition[] | null {
  const { head, reads, makes, makers, digests } = graph;
  const isChanged = new Uint8Array(digests.length);
  for (const file of files) isChanged[file] = 1;
  const isBehind = new Uint8Array(makers.length);
  const found: TaskPosition[] = [];
  const used = new Set<FileNumber>();
  for (const task of makers.indices()) {
    if (reads.anyOf(task, isChanged) || makes.anyOf(task, isChanged)) {
      for (const list of [reads, makes])
        for (const file of list.of(task)) if (isChanged[file] === 1) used.add(file);
    } else if (!makers.anyOf(task, isBehind)) continue;
    isBehind[task] = 1;
    found.push(task);
  }
  return used.size < files.length || head.shaping.some((task) => isBehind[task] === 1) ? null : found;
}

/** The rule and the axis values of a task, as JSON; the pipeline makes the task from these. */
export function nameOf({ rule, bindings }: Pick<Task, "rule" | "bindings">): string {
  return JSON.stringify([
    rule.name,
    ...bindings.map((value) => (value.fields === null && value.typed === undefined ? value.text : value)),
  ]);
}

export function parseName(name: string): readonly [rule: string, bindings: readonly AxisValue[]] {
  const [rule, ...values] = JSON.parse(name) as [string, ...(string | AxisValue)[]];
  return [rule, values.map((value) => (typeof value === "string" ? { text: value, fields: null } : value))];
}

/** A list of `Item`s for each `Index` from 0. */
export class Lists<Index extends number, Item extends number> {
  readonly starts: Int32Array;
  readonly items: Int32Array;

  constructor(starts: Int32Array, items: Int32Array) {
    this.starts = starts;
    this.items = items;
  }

  static from<Index extends number, Item extends number>(
    lists: Iterable<readonly Item[]>,
  ): Lists<Index, Item> {
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

  *indices(): Generator<Index> {
    for (let index = 0; index < this.length; index++) yield index as Index;
  }

  of(index: Index): Numbers<Item> {
    return branded(this.items.subarray(this.starts[index], this.starts[index + 1]));
  }

  /** The items of all lists. */
  all(): Numbers<Item> {
    return branded(this.items);
  }

  /** @param marked has 1 at the numbers to look for */
  anyOf(index: Index, marked: Uint8Array): boolean {
    const end = this.starts[index + 1] ?? 0;
    for (let i = this.starts[index] ?? 0; i < end; i++) if (marked[this.items[i] ?? 0] === 1) return true;
    return false;
  }
}

interface Numbers<Item extends number> extends Iterable<Item> {
  readonly length: number;
}

function branded<Item extends number>(numbers: Numbers<number>): Numbers<Item> {
  return numbers as Numbers<Item>;
}

/** The digest of each file. */
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

  get(file: FileNumber): string {
    return this.bytes.toString("hex", file * DIGEST_BYTES, (file + 1) * DIGEST_BYTES);
  }

  set(file: FileNumber, digest: string): void {
    this.bytes.write(digest, file * DIGEST_BYTES, "hex");
  }
}

const DIGEST_BYTES = 32;
