/**
 * Builds random projects after random edits, and compares them with a model that computes every file from scratch. After
 * each build all outputs are right, and exactly those tasks ran that had never run with these inputs before.
 */
import { lstatSync, statSync, utimesSync } from "node:fs";
import { expect } from "vitest";
import { askSnapshot } from "../../src/snapshot/snapshot.ts";
import { status } from "../../src/plan/status.ts";
import { Project, type Built, type Options } from "../helpers/project.ts";
import { settle } from "../helpers/settle.ts";
import { seeded } from "../schedule/random.ts";
import { checkOutputs, setAsideFiles, writeSources } from "./files.ts";
import { Model, pick, word, type Random, type TaskModel } from "./model.ts";
import { rounds, torture } from "./torture.ts";

torture("random edits are built right, and nothing twice", { quick: 5, long: 200 }, async (seed) => {
  const world = new World(seed);
  const steps = rounds(10, 50);
  for (let step = 0; step < steps; step++) {
    world.edit();
    await world.build(`seed ${seed}, step ${step}`);
  }
  return { steps };
});

class World {
  readonly #random: Random;
  readonly #model: Model;
  readonly #project = new Project({});
  readonly #written = new Map<string, string>();
  /** Keys of runs that succeeded. */
  readonly #done = new Set<string>();
  /** Names of rules whose commands fail. */
  readonly #failing = new Set<string>();
  /** States of the project that an edit may bring back. */
  readonly #past: Model["spec"][] = [];
  /** Edit mostly one source at a time, and wait before the next build, so that snapshots are valid. */
  readonly #calm: boolean;
  /** Path of an output that was edited by hand since the last build. */
  #edited: string | null = null;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#calm = seed % 2 === 0;
    // Only every fifth project has modules: starting a worker takes longer than all the rest.
    this.#model = new Model(this.#random, seed % 5 === 0);
  }

  edit(): void {
    const random = this.#random;
    const model = this.#model;
    const { spec } = model;
    if (this.#past.length > 0 && random.below(8) === 0) {
      model.spec = structuredClone(pick(random, this.#past));
      return this.#write();
    }
    if (this.#calm && random.below(4) > 0) {
      model.editSource(random);
      return this.#write();
    }
    for (let n = random.below(3); n >= 0; n--) {
      const name = pick(random, [...spec.rules.keys()]);
      const what = random.below(14);
      if (what === 0) this.#editUnseen(`src/${random.below(4)}`);
      else if (what === 1) this.#removeOutput();
      else if (what === 2) this.#editOutput();
      else if (what > 3) model.edit(random);
      else if (!this.#failing.delete(name)) this.#failing.add(name);
    }
    this.#write();
  }

  async build(where: string): Promise<void> {
    const random = this.#random;
    const tasks = this.#model.tasks();
    const options: Options = { jobs: 1 + random.below(8), keepGoing: random.below(2) === 0 };
    if (this.#edited !== null && !tasks.some(({ outputs }) => outputs.has(this.#edited ?? ""))) {
      // The same edit removed the rule that makes it, so lq would keep it as a file of the user.
      this.#project.remove(this.#edited);
      this.#edited = null;
    }
    if (this.#edited !== null && (await this.#settleEdited(this.#edited))) return;
    if (random.below(this.#calm ? 20 : 3) === 0) {
      const target = pick(random, tasks);
      const targets = [...target.outputs.keys()].slice(0, 1);
      this.#check(
        where,
        neededBy(tasks, target),
        await this.#project.build({ ...options, targets }),
        options,
      );
      return;
    }
    const setAside = setAsideFiles(this.#project, tasks);
    const expectedStatus = random.below(3) === 0 ? await status(this.#project.request()) : [];
    const built = await this.#buildWithSnapshot(where, options);
    this.#check(where, tasks, built, options);
    for (const { id, freshness } of expectedStatus) {
      if (freshness.state === "fresh") expect([where, built.ran, built.restored].flat()).not.toContain(id);
      if (freshness.state === "restorable") expect([where, ...built.ran]).not.toContain(id);
    }
    if (built.summary.failed > 0) return;
    checkOutputs(where, this.#project, tasks);
    expect([where, ...setAsideFiles(this.#project, tasks)]).toEqual([where, ...setAside]);
    this.#past.push(structuredClone(this.#model.spec));
  }

  /** Builds like `lq build`, which asks the snapshot first. Whether there is a valid one depends on the clock. */
  async #buildWithSnapshot(where: string, options: Options): Promise<Built> {
    const { root } = this.#project;
    if (this.#calm || this.#random.below(2) === 0) await settle();
    const asked = askSnapshot(root, "all", process.env);
    const snapshot = { request: "all", since: Date.now() };
    if (asked?.changed.length !== 0)
      return this.#project.build({ ...options, snapshot: { ...snapshot, asked } });
    const built = await this.#project.build({ ...options, snapshot });
    expect([where, ...built.ran, ...built.restored]).toEqual([where]);
    return built;
  }

  #check(where: string, tasks: readonly TaskModel[], built: Built, { keepGoing = false }: Options): void {
    const { events, summary } = built;
    const outcomes = new Map(
      events.flatMap((event) => (event.type === "task" ? [[event.task, event.outcome]] : [])),
    );
    const reportedFresh = [...outcomes.values()].filter((outcome) => outcome === "fresh").length;
    // An incremental session only counts the fresh tasks that it did not have to look at.
    if (summary.fresh > reportedFresh)
      for (const { id } of tasks) if (!outcomes.has(id)) outcomes.set(id, "fresh");
    const ran = new Set<string>();
    const mayFail = new Set<string>();
    /** Tasks that need a task that may fail. */
    const cut = new Set<string>();
    for (const { id, key, outputs, needs } of tasks) {
      const what = `${where}: ${id} ${outcomes.get(id)}`;
      if (needs.some((need) => mayFail.has(need) || cut.has(need))) cut.add(id);
      else if (!this.#done.has(key) && this.#fails(id)) mayFail.add(id);
      if (["ran", "restored", "fresh"].includes(outcomes.get(id) ?? "")) {
        for (const [path, content] of outputs)
          expect([what, this.#project.read(path)]).toEqual([what, content]);
        if (outcomes.get(id) === "ran") {
          expect([what, this.#done.has(key)]).toEqual([what, false]);
          ran.add(key);
        }
      } else if (outcomes.get(id) === "failed") expect([what, mayFail.has(id)]).toEqual([what, true]);
      else if (built.summary.failed === 0) expect(what).toBe("done");
      else if (keepGoing && !cut.has(id)) expect(what).toBe("done, because it needs nothing that failed");
    }
    if (keepGoing) expect([where, ...built.failed]).toEqual([where, ...[...mayFail].sort()]);
    for (const key of ran) this.#done.add(key);
  }

  #fails(id: string): boolean {
    return this.#failing.has(id) && this.#model.spec.rules.get(id)?.kind !== "module";
  }

  /**
   * Checks that lq refuses to overwrite an edited output. Then removes the output, or overwrites it by a forced build.
   * @returns whether it has built
   */
  async #settleEdited(path: string): Promise<boolean> {
    this.#edited = null;
    const project = this.#project;
    await expect(project.build()).rejects.toThrow(`${path} was edited since lq wrote it`);
    if (this.#random.below(2) === 0) {
      project.remove(path);
      return false;
    }
    this.#failing.clear();
    this.#write();
    const tasks = this.#model.tasks();
    // A forced build also runs tasks that were fresh, so we only check the outputs.
    const { summary } = await project.build({ force: true });
    expect(summary.failed).toBe(0);
    for (const { key, outputs } of tasks) {
      for (const [output, content] of outputs)
        expect([output, project.read(output)]).toEqual([output, content]);
      this.#done.add(key);
    }
    return true;
  }

  #write(): void {
    const files = new Map(this.#model.files());
    for (const name of this.#failing) files.set(`fail/${name}`, "");
    writeSources(this.#project, files, this.#written);
  }

  /** Edits a source and keeps its size and modification time. */
  #editUnseen(path: string): void {
    const content = this.#model.spec.sources.get(path)?.replace(/w\d/, word(this.#random));
    if (content === undefined || content === this.#written.get(path) || !this.#written.has(path)) return;
    const before = statSync(this.#project.path(path));
    if (content.length !== before.size) return;
    this.#project.write(path, content);
    utimesSync(this.#project.path(path), before.atime, before.mtime);
    this.#written.set(path, content);
    this.#model.spec.sources.set(path, content);
  }

  #removeOutput(): void {
    const { id, path } = this.#output();
    if (path === null || path === this.#edited) return;
    const isDirectory = this.#model.spec.rules.get(id)?.kind === "split";
    this.#project.remove(isDirectory && this.#random.below(2) === 0 ? `out/${id}` : path);
  }

  #editOutput(): void {
    const { path, id } = this.#output();
    // Only outputs of `mix` rules, and one at a time: `build` has to settle the edit.
    if (path === null || this.#edited !== null || this.#model.spec.rules.get(id)?.kind !== "mix") return;
    this.#project.write(path, "edited by hand\n");
    this.#edited = path;
  }

  /** Chooses an output at random. `path` is null if the output is not on the disk. */
  #output(): { readonly id: string; readonly path: string | null } {
    const { id, outputs } = pick(this.#random, this.#model.tasks());
    const path = pick(this.#random, [...outputs.keys()]);
    return {
      id,
      path: this.#project.has(path) && lstatSync(this.#project.path(path)).isFile() ? path : null,
    };
  }
}

function neededBy(tasks: readonly TaskModel[], target: TaskModel): readonly TaskModel[] {
  const needed = new Set([target.id]);
  for (const { id, needs } of [...tasks].reverse())
    if (needed.has(id)) needs.forEach((need) => needed.add(need));
  return tasks.filter(({ id }) => needed.has(id));
}
