/** Outputs are written to a folder of their own and put in place whole, so that a killed task leaves nothing. */
import { lstatSync, mkdirSync, rmSync, type Stats } from "node:fs";
import path from "node:path";
import type { TaskPath } from "../model.ts";

export class Staging {
  /** Absolute. */
  readonly folder: string;

  /** Makes the folder, the parents of the outputs and the outputs that are directories. */
  constructor(folder: string, outputs: readonly TaskPath[]) {
    this.folder = folder;
    const parents = new Set(outputs.map((output) => path.dirname(this.path(output) + ".")));
    for (const parent of parents) mkdirSync(parent, { recursive: true });
  }

  /** Absolute; a directory ends in "/". */
  path(output: TaskPath): string {
    return `${this.folder}/${output.path}`;
  }

  /** What is wrong with what the attempt left, in words; null when every output is there. */
  lack(outputs: readonly TaskPath[]): string | null {
    for (const output of outputs) {
      const directory = output.path.endsWith("/");
      const stats = lstatOrNull(this.path(output).replace(/\/$/, ""));
      const kind = directory ? stats?.isDirectory() : stats?.isFile();
      if (kind === true) continue;
      if (stats === null) return `it ended well but did not write its output "${output.path}"`;
      return `its output "${output.path}" is ${nameKind(stats)}, not a ${directory ? "directory" : "file"}`;
    }
    return null;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function lstatOrNull(file: string): Stats | null {
  return lstatSync(file, { throwIfNoEntry: false }) ?? null;
}

function nameKind(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isDirectory()) return "a directory";
  return stats.isFile() ? "a file" : "neither a file nor a directory";
}
