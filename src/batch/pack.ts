/** A pack: the tasks that one job runs one after another, with all that the node needs to know of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import { join } from "node:path";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { CacheSettings, Task } from "../model/model.ts";
import type { Signature } from "../files/signature.ts";
import { ifThere } from "../files/network-files.ts";

/** Raise this when the format changes. */
const VERSION = 1;

export interface Pack {
  readonly version: number;
  /** Absolute path of the project. */
  readonly root: string;
  readonly cache: CacheSettings;
  /** Patterns of files that never count. */
  readonly ignore: readonly string[];
  readonly cpus: number;
  /** Whether the job has devices. */
  readonly devices: boolean;
  /** Bytes that each task may use; 0: not known. */
  readonly memory: number;
  /** The compiled module of `run` tasks; null for others. */
  readonly bundle: string | null;
  /** Signatures with which the driver knows the digests of inputs, by path. */
  readonly signatures: ReadonlyMap<string, Signature>;
  /** Files that are in a directory of inputs but do not count, by path. */
  readonly ignored: ReadonlySet<string>;
  readonly tasks: readonly PackedTask[];
}

export interface PackedTask {
  readonly ticket: string;
  readonly task: Task;
  readonly key: string;
  readonly recipe: Recipe;
}

export function writePack(folder: string, element: number, pack: Omit<Pack, "version">): void {
  writeFileSync(packFile(folder, element), serialize({ version: VERSION, ...pack }));
}

/** Null: the driver has recalled it. @throws Error if another version of lq wrote it */
export function readPack(folder: string, element: number): Pack | null {
  const bytes = ifThere(() => readFileSync(packFile(folder, element)));
  if (bytes === null) return null;
  const pack = deserialize(bytes) as Pack;
  if (pack.version !== VERSION) throw new Error("another version of lq submitted this job");
  return pack;
}

export function packFile(folder: string, element: number): string {
  return join(folder, `${element}.pack`);
}

export function eventsFile(folder: string, element: number): string {
  return join(folder, `${element}.events`);
}

/** What the job prints. */
export function outputFile(folder: string, element: number | string): string {
  return join(folder, `${element}.out`);
}
