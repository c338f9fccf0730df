/** Finds the files that the graph or the records name. The server sends only such files. */
import { dirname, isAbsolute } from "node:path";
import { realpathSync } from "node:fs";
import { logPath } from "../../execute/log-path.ts";
import { absolute, ancestors } from "../../model/paths.ts";
import type { Task } from "../../model/model.ts";
import { storeFolder } from "../../session/open-store.ts";
import type { Inspection } from "../inspect-project.ts";

export interface NamedFile {
  /** Absolute path. */
  readonly file: string;
  /** Real paths of folders. The file's real path must lie in one of them. */
  readonly within: readonly string[];
}

/** @param path in the normal form of the graph. @returns null if nothing names the file */
export function namedFile(inspection: Inspection, path: string): NamedFile | null {
  const { session, root, project } = inspection;
  if (path.includes("\0") || path.split("/").some((part) => part === ".." || part === ".")) return null;
  const made = session.graph.producer(path) !== undefined;
  if (!made && !isSource(inspection, path)) return null;
  const own = [root, ...(made ? [storeFolder(project.pipeline)] : [])];
  const within = isAbsolute(path) ? [dirname(path)] : own;
  return { file: absolute(root, path), within: within.flatMap(realPath) };
}

/** The log of a task's last run; null if there is no such task. */
export function namedLog({ session, root }: Inspection, task: string): NamedFile | null {
  const found = session.graph.task(task);
  if (found === undefined) return null;
  return { file: absolute(root, logPath(found)), within: realPath(root) };
}

const sources = new WeakMap<Inspection, ReadonlySet<string>>();

function isSource(inspection: Inspection, path: string): boolean {
  let known = sources.get(inspection);
  if (known === undefined) {
    known = new Set(
      inspection.session.graph.tasks.flatMap((task: Task) => task.inputs.map((input) => input.path)),
    );
    sources.set(inspection, known);
  }
  return known.has(path) || [...ancestors(path)].some((folder) => known.has(folder));
}

function realPath(folder: string): string[] {
  try {
    return [realpathSync(folder)];
  } catch {
    return [];
  }
}
