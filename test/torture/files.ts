/** What a model says, put on the disk, and what tasks left there. */
import { readdirSync } from "node:fs";
import { expect } from "vitest";
import type { Project } from "../helpers/project.ts";
import type { TaskModel } from "./model.ts";

/** @param written what is on the disk already, by path; only what differs is written */
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

/** Paths of all that is where tasks write, sorted. */
export function madeFiles(project: Project): readonly string[] {
  return ["out", "expanded", "fan"].flatMap((dir) => filesUnder(project, dir)).sort();
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
  return madeFiles(project).filter((path) => path.startsWith("out/") && !alive.has(path.split("/")[1] ?? ""));
}

/** Every output is there, as the model says, and nothing else is but outputs of rules that are gone. */
export function checkOutputs(where: string, project: Project, tasks: readonly TaskModel[]): void {
  const expected = new Map(tasks.flatMap(({ outputs }) => [...outputs]));
  const kept = new Set(setAsideFiles(project, tasks));
  const found = madeFiles(project).filter((path) => !kept.has(path));
  expect([where, ...found]).toEqual([where, ...[...expected.keys()].sort()]);
  for (const [path, content] of expected)
    expect([where, path, project.read(path)]).toEqual([where, path, content]);
}
