/**
 * Kills builds of random projects at a random instant. The records then hold only what is true, and the next build ends
 * like one that was never disturbed.
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
  /** Estimate of the milliseconds that a build takes. */
  let length = 300;
  let kills = 0;
  for (let round = 0; round < rounds(4, 12); round++) {
    const where = `seed ${seed}, round ${round}`;
    writeSources(project, model.files(), written);
    const took = await killedBuild(project, random, length);
    // A build that ended before its instant came does not count as a kill, and gives a better estimate.
    if (took === null) {
      kills += 1;
      length *= 1.1;
    } else length = Math.max(20, took);
    const tasks = model.tasks();
    await checkRecords(where, project, tasks);
    checkStore(where, project.path("cache"));
    const { summary, notices } = await project.build({ jobs: 1 + random.below(4) });
    // The cache holds only whole files, whenever lq was killed.
    const damage = notices.filter((text) => text.includes("damaged"));
    expect([where, summary.failed, damage]).toEqual([where, 0, []]);
    checkOutputs(where, project, tasks);
    for (let edits = 1 + random.below(4); edits > 0; edits--) model.edit(random);
  }
  return { kills };
});

/**
 * @param length estimate of the milliseconds that a build takes
 * @returns milliseconds that the build took if it ended before it could be killed; null if it was killed
 */
async function killedBuild(project: Project, random: Random, length: number): Promise<number | null> {
  const lq = new Lq(["build", "--json", "-j", String(1 + random.below(4))], project.root);
  // Kill one build in eight before it has planned.
  if (random.below(8) > 0) await lq.line('"plan"').catch(() => undefined);
  const since = performance.now();
  await Promise.race([lq.ended, new Promise((resolve) => setTimeout(resolve, random.next() * length))]);
  const took = performance.now() - since;
  lq.kill("SIGKILL");
  const { code } = await lq.ended;
  expect([0, null]).toContain(code);
  return code === null ? null : took;
}
