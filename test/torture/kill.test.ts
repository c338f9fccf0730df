/**
 * Builds of random projects that are killed at a random instant: nothing is on record that did not happen, and
 * the next build ends as one that was never disturbed.
 */
import { expect } from "vitest";
import { Project } from "../helpers/project.ts";
import { Lq } from "../helpers/cli.ts";
import { seeded } from "../schedule/random.ts";
import { checkOutputs, writeSources } from "./files.ts";
import { Model, type Random } from "./model.ts";
import { checkRecords, checkStore } from "./records.ts";
import { rounds, torture } from "./torture.ts";

torture("a build that was killed at any instant", { quick: 3, long: 100 }, async (seed) => {
  const random = seeded(seed);
  const model = new Model(random, seed % 5 === 0);
  const project = new Project({});
  const written = new Map<string, string>();
  let length = 300;
  let kills = 0;
  for (let round = 0; round < rounds(4, 12); round++) {
    const where = `seed ${seed}, round ${round}`;
    writeSources(project, model.files(), written);
    const took = await killedBuild(project, random, length);
    // One that was over before its instant came is no kill, and says how long builds take.
    if (took === null) {
      kills += 1;
      length *= 1.1;
    } else length = Math.max(20, took);
    const tasks = model.tasks();
    await checkRecords(where, project, tasks);
    checkStore(where, project.path("cache"));
    const { summary, notices } = await project.build({ jobs: 1 + random.below(4) });
    // Nothing in the cache is less than whole, whenever it was that lq was killed.
    const damage = notices.filter((text) => text.includes("damaged"));
    expect([where, summary.failed, damage]).toEqual([where, 0, []]);
    checkOutputs(where, project, tasks);
    for (let edits = 1 + random.below(4); edits > 0; edits--) model.edit(random);
  }
  return { kills };
});

/**
 * @param length milliseconds that a build takes, or so
 * @returns how long it took, if it was over before it could be killed
 */
async function killedBuild(project: Project, random: Random, length: number): Promise<number | null> {
  const lq = new Lq(["build", "--json", "-j", String(1 + random.below(4))], project.root);
  // One in eight before the build has begun.
  if (random.below(8) > 0) await lq.line('"plan"').catch(() => undefined);
  const since = performance.now();
  await Promise.race([lq.ended, new Promise((resolve) => setTimeout(resolve, random.next() * length))]);
  const took = performance.now() - since;
  lq.kill("SIGKILL");
  const { code } = await lq.ended;
  expect([0, null]).toContain(code);
  return code === null ? null : took;
}
