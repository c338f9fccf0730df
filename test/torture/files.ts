/** Writes the sources of a model to the disk, and checks the outputs that tasks left there. */
import { readdirSync } from "node:fs";
import { expect } from "vitest";
import type { Project } from "../helpers/project.ts";
import type { TaskModel } from "./model.ts";

/** @param written content by path of the sources on the disk, kept up to date; only differences are written */
export function writeSources(
  project: Project,
  files: ReadonlyMap<string, string>,
  written: Map<string, string>,
): void {
  for (const path of written.keys()) {
    if (files.has(path)) continue;
    project.remove(path);
    written.delete(path);
  }
  for (const [path, content] of files) {
    if (written.get(path) === content) continue;
    project.write(path, content);
    written.set(path, content);
  }
}

/** Sorted paths of all files in the folders into which tasks write. */
export function madeFiles(project: Project): readonly string[] {
  return ["out", "expanded", "fan", "scanned"].flatMap((dir) => filesUnder(project, dir)).sort();
}

export function filesUnder(project: Project, dir: string): readonly string[] {
  if (!project.has(dir)) return [];
  return readdirSync(project.path(dir), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(project, `${dir}/${entry.name}`) : [`${dir}/${entry.name}`],
  );
}

/** Paths of the outputs of rules that are gone, which lq keeps. */
export function setAsideFiles(project: Project, tasks: readonly TaskModel[]): readonly string[] {
  const alive = new Set(["items.json", ...tasks.map(({ id }) => id)]);
  const isScanned = tasks.some(({ id }) => id.startsWith("scan:"));
  return madeFiles(project).filter((path) => {
    const [folder, name = ""] = path.split("/");
    return folder === "out" ? !alive.has(name) : folder === "scanned" && !isScanned;
  });
}

/** Checks that the outputs of the model are in place, and no other files except outputs of rules that are gone. */
export function checkOutputs(where: string, project: Project, tasks: readonly TaskModel[]): void {
  const expected = new Map(tasks.flatMap(({ outputs }) => [...outputs]));
  const kept = new Set(setAsideFiles(project, tasks));
  const found = madeFiles(project).filter((path) => !kept.has(path));
  expect([where, ...found]).toEqual([where, ...[...expected.keys()].sort()]);
  for (const [path, content] of expected)
    expect([where, path, project.read(path)]).toEqual([where, path, content]);
}
