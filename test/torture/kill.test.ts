/**
 * Builds of random projects that are killed at a random instant: nothing is on record that did not happen, and
 * the next build ends as one that was never disturbed.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeAction } from "../../src/record/action.ts";
import { status } from "../../src/status.ts";
import { Project } from "../build/project.ts";
import { Lq } from "../helpers/cli.ts";
import { seeded } from "../schedule/random.ts";
import { filesUnder, madeFiles, writeSources } from "./files.ts";
import { Model, type Random, type TaskModel } from "./model.ts";
import { rounds, seeds, TIMEOUT } from "./torture.ts";

it.each(seeds(3, 100))(
  "a build that was killed at any instant (seed %i)",
  { timeout: TIMEOUT },
  async (seed) => {
    const random = seeded(seed);
    const model = new Model(random, seed % 5 === 0);
    const project = new Project({});
    const written = new Map<string, string>();
    let length = 300;
    for (let round = 0; round < rounds(4, 10); round++) {
      const where = `seed ${seed}, round ${round}`;
      writeSources(project, model.files(), written);
      length = await killedBuild(project, random, length);
      const tasks = model.tasks();
      await checkRecords(where, project, tasks);
      const { summary, events } = await project.build({ jobs: 1 + random.below(4) });
      expect([where, summary.failed, events.filter(({ type }) => type === "notice")]).toEqual([
        where,
        0,
        expect.anything(),
      ]);
      checkOutputs(where, project, tasks);
      for (let edits = 1 + random.below(4); edits > 0; edits--) model.edit(random);
    }
  },
);

/**
 * @param length milliseconds that a build takes, or so
 * @returns a better estimate of that
 */
async function killedBuild(project: Project, random: Random, length: number): Promise<number> {
  const lq = new Lq(["build", "--json", "-j", String(1 + random.below(4))], project.root);
  let over = false;
  const ended = lq.ended.then(({ code }) => {
    over = true;
    if (code !== null) expect(code).toBe(0);
  });
  // One in eight before the build has begun.
  if (random.below(8) > 0) await lq.line('"plan"').catch(() => undefined);
  const since = performance.now();
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, random.next() * length))]);
  const took = performance.now() - since;
  lq.kill("SIGKILL");
  const early = over;
  await ended;
  return early ? Math.max(20, took) : length * 1.1;
}

async function checkRecords(where: string, project: Project, tasks: readonly TaskModel[]): Promise<void> {
  const outputs = new Map(tasks.map((task) => [task.id, task.outputs]));
  for (const { id, freshness } of await status(project.request())) {
    if (freshness.state !== "fresh") continue;
    for (const [path, content] of outputs.get(id) ?? [])
      expect([where, path, project.read(path)]).toEqual([where, path, content]);
  }
  for (const path of filesUnder(project, "cache/objects")) {
    const name = path.replace("cache/objects/", "").replace("/", "");
    if (/^[0-9a-f]{64}$/.test(name)) expect([where, name]).toEqual([where, sha256(project.path(path))]);
  }
  for (const path of filesUnder(project, "cache/actions")) {
    const [, key = ""] = /^cache\/actions\/(.+)\.json$/.exec(path) ?? [];
    if (key !== "")
      expect([where, key, decodeAction(project.read(path), key.replace("/", ""))]).not.toContain(null);
  }
}

function checkOutputs(where: string, project: Project, tasks: readonly TaskModel[]): void {
  const expected = new Map(tasks.flatMap(({ outputs }) => [...outputs]));
  expect([where, ...madeFiles(project)]).toEqual([where, ...[...expected.keys()].sort()]);
  for (const [path, content] of expected)
    expect([where, path, project.read(path)]).toEqual([where, path, content]);
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
