/**
 * Builds two projects that share a cache, and removes meanwhile, again and again, everything from the cache that may be
 * removed. Both projects end with the right outputs.
 */
import { utimesSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, vi } from "vitest";
import { chooseGarbage, removeGarbage } from "../../src/store/collect.ts";
import { actionsIn, objectsIn } from "../../src/store/contents.ts";
import { neededByOthers } from "../../src/store/needed.ts";
import { Project } from "../helpers/project.ts";
import { Lq } from "../helpers/cli.ts";
import { seeded } from "../schedule/random.ts";
import { checkOutputs, writeSources } from "./files.ts";
import { Model } from "./model.ts";
import { rounds, torture } from "./torture.ts";
import { testFolder } from "../helpers/folder.ts";

torture("builds beside collections of all that may go", { quick: 1, long: 30 }, async (seed) => {
  const random = seeded(seed);
  const model = new Model(random, false);
  const cache = testFolder();
  vi.stubEnv("LQ_CACHE", cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const projects = [new Project({}), new Project({})].map((project) => ({
    project,
    written: new Map<string, string>(),
  }));
  let [builds, collections, removed] = [0, 0, 0];
  for (let round = 0; round < rounds(3, 10); round++) {
    for (const { project, written } of projects) writeSources(project, model.files(), written);
    let building = true;
    const built = Promise.all(
      projects.map(({ project }) => new Lq(["build", "--json", "-j", "2"], project.root).ended),
    ).finally(() => (building = false));
    while (building) {
      age(cache);
      // What `lq cache gc --keep-size 1` does, without the time to start a process.
      const garbage = chooseGarbage(cache, neededByOthers(cache, ""), { keepSize: 1 });
      removeGarbage(garbage);
      collections += 1;
      removed += garbage.objects.length;
      await setImmediate();
    }
    for (const [i, { code, stderr }] of (await built).entries()) {
      const where = `seed ${seed}, round ${round}, project ${i}`;
      expect([where, code, stderr]).toEqual([where, 0, ""]);
      checkOutputs(where, projects[i]!.project, model.tasks());
      builds += 1;
    }
    for (let edits = 1 + random.below(4); edits > 0; edits--) model.edit(random);
    // Then the next build needs outputs that the cache may or may not have.
    if (random.below(3) === 0)
      for (const { project } of projects) if (project.has("out")) project.remove("out");
  }
  expect(removed).toBeGreaterThan(0);
  return { builds, collections, "objects removed": removed };
});

/** Sets all times in the store to a day ago, because a collection keeps what is younger than an hour. */
function age(store: string): void {
  const then = new Date(Date.now() - 86_400_000);
  for (const files of [objectsIn(store), actionsIn(store)])
    for (const { file, name } of files) {
      if (name === null) continue;
      try {
        utimesSync(file, then, then);
      } catch {
        // A build has just replaced or removed the file.
      }
    }
}
