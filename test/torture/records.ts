/** Checks that records and a store hold only what is true. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { actionsIn, objectsIn } from "../../src/store/contents.ts";
import { decodeAction } from "../../src/store/action.ts";
import { status } from "../../src/plan/status.ts";
import type { Project } from "../helpers/project.ts";
import type { TaskModel } from "./model.ts";

/** Checks that the outputs of each task that `status` calls fresh are those of the model. */
export async function checkRecords(
  where: string,
  project: Project,
  tasks: readonly TaskModel[],
): Promise<void> {
  const outputs = new Map(tasks.map((task) => [task.id, task.outputs]));
  for (const { id, freshness } of await status(project.request())) {
    if (freshness.state !== "fresh") continue;
    for (const [path, content] of outputs.get(id) ?? [])
      expect([where, path, project.read(path)]).toEqual([where, path, content]);
  }
}

/** Checks that every object has the digest in its name, and that every action is whole. */
export function checkStore(where: string, folder: string): void {
  for (const { file, name } of objectsIn(folder))
    if (name !== null) expect([where, name]).toEqual([where, sha256(file)]);
  for (const { file, name } of actionsIn(folder))
    if (name !== null)
      expect([where, name, decodeAction(readFileSync(file, "utf8"), name)]).not.toContain(null);
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
