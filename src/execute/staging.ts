/**
 * Makes staging folders, to which tasks write their outputs. lq then moves whole outputs to their places, so that a
 * killed task leaves no partial output.
 *
 * Each output has a numbered folder in the staging folder, and its own name in that. Many attempts use the same folder
 * one after the other, and each finds it empty. To make and remove folders would cost more than a small task.
 */
import { lstatSync, mkdirSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { TaskPath } from "../model/model.ts";
import { discard } from "../files/remove.ts";

/** Hands out staging folders that no attempt uses at the moment. */
export class StagingArea {
  readonly #root: string;
  readonly #free: Staging[] = [];
  #made = 0;

  /** @param root absolute path of a folder that nobody else uses */
  constructor(root: string) {
    this.#root = root;
  }

  /** Prepares a folder for these outputs. */
  take(outputs: readonly TaskPath[]): Staging {
    const staging = this.#free.pop() ?? new Staging(join(this.#root, String(this.#made++)));
    staging.prepare(outputs);
    return staging;
  }

  give(staging: Staging): void {
    this.#free.push(staging);
  }
}

export class Staging {
  #folder: string;
  /** How many numbered folders there are. */
  #parts = 0;
  #paths: readonly string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Absolute paths, in the order of the task's outputs; a directory ends in "/" and is there. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** The path of a file with this name beside the outputs. No output can have this path. */
  beside(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** Removes what an earlier attempt left, and makes the outputs that are directories. */
  prepare(outputs: readonly TaskPath[]): void {
    while (!this.#clear(outputs.length)) {
      // A program still has a file open there. On a file server the file stays, so use a new folder.
      this.#folder += "+";
      this.#parts = 0;
    }
    this.#paths = outputs.map(({ path }, index) => `${this.#part(index)}/${nameOf(path)}`);
    for (const path of this.#paths) if (path.endsWith("/")) mkdirSync(path, { recursive: true });
  }

  /** Says which output the attempt did not write, for the first such output; null if every output is there. */
  missingOutput(outputs: readonly TaskPath[]): string | null {
    for (const [index, { path }] of outputs.entries()) {
      const directory = path.endsWith("/");
      const stats = lstatOrNull((this.#paths[index] ?? "").replace(/\/$/, ""));
      const kind = directory ? stats?.isDirectory() : stats?.isFile();
      if (kind === true) continue;
      if (stats === null && lstatOrNull(this.#part(index)) === null)
        return `the folder for its output "${path}" was removed while it ran: leave cache/ alone as long as lq runs`;
      if (stats === null) return `it ended well but did not write its output "${path}"`;
      return `its output "${path}" is ${nameKind(stats)}, not a ${directory ? "directory" : "file"}`;
    }
    return null;
  }

  /** Makes `count` numbered folders. @returns whether all are empty */
  #clear(count: number): boolean {
    for (let part = 0; part < this.#parts; part++) if (!empty(this.#part(part))) return false;
    for (; this.#parts < count; this.#parts++) {
      const part = this.#part(this.#parts);
      // Undefined: the folder is there already, because an earlier build could not remove it.
      if (mkdirSync(part, { recursive: true }) === undefined && !empty(part)) return false;
    }
    return true;
  }

  #part(index: number): string {
    return `${this.#folder}/${index}`;
  }
}

function empty(folder: string): boolean {
  return readdirSync(folder).every((name) => discard(join(folder, name)));
}

/** The last part of a path, with the "/" of a directory. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/", path.length - 2) + 1);
}

function lstatOrNull(file: string): Stats | null {
  return lstatSync(file, { throwIfNoEntry: false }) ?? null;
}

function nameKind(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return stats.isFile() ? "a file" : "a device";
}
