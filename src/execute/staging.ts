/**
 * Tasks write outputs to a staging folder. lq then puts whole outputs in place, so that a killed task leaves nothing.
 *
 * Each output has a numbered folder there, and its own name in it. A folder serves many attempts, and each finds it
 * empty. To make and remove folders would cost more than a small task.
 */
import { lstatSync, mkdirSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { TaskPath } from "../model/model.ts";
import { discard } from "../files/remove.ts";

/** Hands out staging folders that nobody uses at the moment. */
export class StagingArea {
  readonly #root: string;
  readonly #free: Staging[] = [];
  #made = 0;

  /** @param root absolute path of a folder that nobody else uses */
  constructor(root: string) {
    this.#root = root;
  }

  /** A folder that is prepared for these outputs. */
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

  /** A file of this name beside the outputs, which no output can be. */
  beside(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** Drops what an attempt before left, and makes the outputs that are directories. */
  prepare(outputs: readonly TaskPath[]): void {
    while (!this.#clear(outputs.length)) {
      // A program still has a file open there; on a file server it stays, and so does the folder.
      this.#folder += "+";
      this.#parts = 0;
    }
    this.#paths = outputs.map(({ path }, index) => `${this.#part(index)}/${nameOf(path)}`);
    for (const path of this.#paths) if (path.endsWith("/")) mkdirSync(path, { recursive: true });
  }

  /** The first output that the attempt did not write, in words; null if every output is there. */
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

  /** Makes so many numbered folders. @returns whether they are empty */
  #clear(count: number): boolean {
    for (let part = 0; part < this.#parts; part++) if (!empty(this.#part(part))) return false;
    for (; this.#parts < count; this.#parts++) {
      const part = this.#part(this.#parts);
      // Undefined: it is there already, for a build before could not remove it.
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
  return stats.isFile() ? "a file" : "neither a file nor a directory";
}
