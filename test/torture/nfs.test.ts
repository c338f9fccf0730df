/**
 * Builds two projects at once that share a cache on a file system that behaves like NFS, while other commands verify and
 * collect the cache. With every second seed the projects are on that file system, too. Every build ends right or says what
 * is wrong, nothing wrong is ever in place or on record, and a build without faults ends like one that was never disturbed.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { Project } from "../helpers/project.ts";
import { Lq, type Ended } from "../helpers/cli.ts";
import { seeded } from "../schedule/random.ts";
import { checkOutputs, madeFiles, writeSources } from "./files.ts";
import { Model, pick, type Random, type TaskModel } from "./model.ts";
import { mannersOf, NFS_CLIENT, type Fault, type Manners } from "../helpers/nfs-client.ts";
import { checkRecords, checkStore } from "./records.ts";
import { rounds, torture } from "./torture.ts";
import { testFolder } from "../helpers/folder.ts";

/** One round in so many has the fault. Faults that few builds survive are rare. */
const FAULTS: { readonly [fault in Fault]: number } = {
  replay: 2,
  cached: 2,
  skewed: 2,
  silly: 2,
  estale: 2,
  nolink: 4,
  soft: 4,
  late: 4,
};

torture("builds where files are on NFS", { quick: NFS_CLIENT === null ? 0 : 2, long: 40 }, async (seed) => {
  const random = seeded(seed);
  const model = new Model(random, seed % 5 === 0);
  const folder = testFolder();
  const server = join(folder, "server");
  const store = join(server, "store");
  mkdirSync(store, { recursive: true });
  vi.stubEnv("LQ_CACHE", store);
  onTestFinished(() => void vi.unstubAllEnvs());
  const projects = projectsIn(seed % 2 === 0 ? server : folder);
  const manners = mannersFor(random, server, join(folder, "faults"));
  const counts = { commands: 0, "that ended well": 0 };
  for (let round = 0; round < rounds(3, 12); round++) {
    const where = `seed ${seed}, round ${round}, ${manners.faults.join()}`;
    for (const { project, written } of projects) writeSources(project, model.files(), written);
    // Pretend that the clients' caches have expired.
    for (const name of readdirSync(folder)) if (name.startsWith("client")) rmSync(join(folder, name));
    const start = (words: readonly string[], { root }: Project, machine: string): Promise<Ended> => {
      const client = join(folder, `client-${machine}`);
      const variables = mannersOf({ ...manners, client, seed: random.below(1e9) });
      return new Lq(words, root, { variables }).ended;
    };
    const started = projects.map(({ project }, i) => [
      start(BUILD, project, `of-${i}`),
      ...(random.below(2) === 0 ? [start(pick(random, BESIDE), project, "of-both")] : []),
    ]);
    const ended = await Promise.all(started.map((each) => Promise.all(each)));
    for (const { code, stdout, stderr } of ended.flat()) {
      expect([where, code]).toEqual([where, expect.toBeOneOf([0, 1, 2])]);
      expect([where, stdout + stderr]).not.toEqual([where, expect.stringMatching(TRACE)]);
      if (code !== 0) expect([where, stdout + stderr]).toEqual([where, expect.stringMatching(/\S/)]);
      counts.commands += 1;
      if (code === 0) counts["that ended well"] += 1;
    }
    const tasks = model.tasks();
    checkStore(where, store);
    for (const [i, { project }] of projects.entries()) {
      if (ended[i]?.every(({ code }) => code === 0)) checkOutputs(where, project, tasks);
      await checkRecords(where, project, tasks);
      const { summary, notices } = await project.build({ jobs: 2 });
      expect([where, summary.failed, notices.filter((text) => text.includes("damaged"))]).toEqual([
        where,
        0,
        [],
      ]);
      if (LEAVES_STRANGERS.test(readFileSync(manners.log, "utf8"))) removeStrangers(project, tasks);
      checkOutputs(where, project, tasks);
    }
    for (let edits = 1 + random.below(4); edits > 0; edits--) model.edit(random);
    if (random.below(3) === 0)
      for (const { project } of projects) if (project.has("out")) project.remove("out");
  }
  const { code, stdout } = await new Lq(["cache", "verify"], projects[0]?.project.root ?? "").ended;
  expect([seed, code, stdout]).toEqual([seed, 0, expect.stringContaining("verified")]);
  return { ...counts, faults: readFileSync(manners.log, "utf8").split("\n").length - 1 };
});

/**
 * lq keeps two kinds of outputs when their rule is removed: one whose record the server lost, because lq does not know
 * that it wrote it, and one that it cannot read, because a user may have edited it.
 */
const LEAVES_STRANGERS = /^late close .*\/state\/log$|^soft \w+ .*\/(out|expanded|fan)\//m;

function removeStrangers(project: Project, tasks: readonly TaskModel[]): void {
  const known = new Set(tasks.flatMap(({ outputs }) => [...outputs.keys()]));
  for (const path of madeFiles(project)) if (!known.has(path)) project.remove(path);
}

const BUILD = ["build", "-j", "2"];
const BESIDE = [BUILD, ["cache", "verify"], ["cache", "gc", "--keep-size", "1B"]];
const TRACE = /^\s+at |node:internal/m;

function projectsIn(folder: string) {
  vi.stubEnv("TMPDIR", folder);
  const projects = [new Project({}), new Project({})];
  vi.stubEnv("TMPDIR", undefined);
  return projects.map((project) => ({ project, written: new Map<string, string>() }));
}

function mannersFor(random: Random, folder: string, log: string): Manners & { readonly log: string } {
  writeFileSync(log, "");
  const faults = (Object.keys(FAULTS) as Fault[]).filter((fault) => random.below(FAULTS[fault]) === 0);
  const skew = pick(random, [-10_000, -5, 3, 10_000]);
  return { folder, log, faults, skew, oneIn: 4 + random.below(40) };
}
