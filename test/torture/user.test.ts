/**
 * A user writes, edits and links files anywhere under the outputs of a random project, while rules come and go, globs
 * match nothing and outputs change their kind. Not one byte of the user's is lost without -f: after each command, the
 * harness compares every file with its own copy. What is built meanwhile is right.
 */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { expect } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { status } from "../../src/plan/status.ts";
import { clean } from "../../src/run/clean.ts";
import { Project, type Built, type Options } from "../helpers/project.ts";
import { seeded } from "../schedule/random.ts";
import { madeFiles, writeSources } from "./files.ts";
import { Model, pick, type Random, type TaskModel } from "./model.ts";
import { rounds, torture } from "./torture.ts";

torture("a user who writes under the outputs loses nothing", { quick: 2, long: 20 }, async (seed) => {
  const world = new World(seed);
  const steps = rounds(15, 50);
  for (let step = 0; step < steps; step++) await world.step(`seed ${seed}, step ${step}`);
  return { steps, ...world.counts };
});

/** What the user has at a path: a file with this content, or a link with this target. */
type Owned = { readonly content: string } | { readonly target: string };

/** What lq says when a file of the user's is in the way. */
const REFUSAL =
  /was edited since lq wrote it|was not made by lq|somebody wrote|is a file that lq did not make|is a symbolic link to|is not there|cannot be read|is not valid JSON|where a (file|directory) is expected/;

const NAMES = ["notes.md", "sub/notes.md", "x.txt~", ".a.swp", ".DS_Store", ".git/HEAD", ".git/refs/main"];

class World {
  readonly #random: Random;
  readonly #model: Model;
  readonly #project = new Project({});
  readonly #written = new Map<string, string>();
  /** The harness's own copy. */
  readonly #owned = new Map<string, Owned>();
  readonly #past = new Set<string>();
  #made = 0;
  readonly counts = { "files of the user": 0, refusals: 0, "builds that ended well": 0 };

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#model = new Model(this.#random, false);
  }

  async step(where: string): Promise<void> {
    const random = this.#random;
    for (let edits = random.below(3); edits > 0; edits--) this.#model.edit(random);
    writeSources(this.#project, this.#model.files(), this.#written);
    for (const { outputs } of this.#model.tasks()) for (const path of outputs.keys()) this.#past.add(path);
    for (let acts = random.below(3); acts > 0; acts--) this.#act();
    const what = await this.#command(where);
    this.#check(`${where}: ${what}`);
  }

  /** @returns what was done, in words */
  async #command(where: string): Promise<string> {
    const random = this.#random;
    const project = this.#project;
    const request = { pipeline: project.request().pipeline, targets: [], cwd: project.root };
    switch (random.below(12)) {
      case 0:
        await clean(request).catch(expectRefusal);
        return "clean";
      case 1:
        await clean({ ...request, orphans: true }).catch(expectRefusal);
        return "clean --orphans";
      case 2:
        rmSync(project.path("cache/state"), { recursive: true, force: true });
        break;
      case 3:
        await status(project.request()).catch(expectRefusal);
        await this.#build({ dryRun: true });
        return "status and dry run";
      default:
    }
    const options = { jobs: 2, keepGoing: random.below(2) === 0 };
    let built = await this.#build(options);
    if (built === null) {
      this.counts.refusals += 1;
      this.#check(`${where}: refused`);
      if (random.below(4) === 0) return this.#force(options);
      this.#giveWay();
      built = await this.#build(options);
    }
    if (built?.summary.failed === 0) this.#checkBuilt(where, built);
    return "build";
  }

  /** Null: refused. */
  async #build(options: Options): Promise<Built | null> {
    try {
      const built = await this.#project.build(options);
      for (const error of built.errors) expect(error).toMatch(REFUSAL);
      return built;
    } catch (error) {
      expectRefusal(error);
      return null;
    }
  }

  /** With -f the user gives up what is in the way, and nothing else: what does not count in folders stays too. */
  async #force(options: Options): Promise<string> {
    await this.#build({ ...options, force: true });
    for (const [path, owned] of this.#owned) if (!this.#isThere(path, owned)) this.#owned.delete(path);
    return "build -f";
  }

  /** The user moves everything away that may be in the way. */
  #giveWay(): void {
    for (const path of [...this.#owned.keys()]) {
      if (path.startsWith("mine/")) continue;
      rmSync(this.#project.path(path), { force: true });
      this.#owned.delete(path);
    }
    // Files that are left without the harness's copy are lq's.
    for (const path of madeFiles(this.#project)) {
      const stats = lstatSync(this.#project.path(path));
      if (stats.isSymbolicLink()) rmSync(this.#project.path(path));
    }
  }

  #checkBuilt(where: string, built: Built): void {
    this.counts["builds that ended well"] += 1;
    const tainted = new Set<string>();
    for (const task of this.#model.tasks()) {
      if (readsFolder(this.#model, task) || task.needs.some((need) => tainted.has(need))) {
        // A command sees all of a folder, also the user's files.
        tainted.add(task.id);
        continue;
      }
      for (const [path, content] of task.outputs)
        if (!this.#owned.has(path))
          expect([where, path, this.#project.read(path)]).toEqual([where, path, content]);
    }
    expect(built.summary.skipped).toBe(0);
  }

  #act(): void {
    const random = this.#random;
    const path = pick(random, [...this.#past]);
    const at = this.#project.path(path);
    const own = `user ${this.#made++}\n`;
    const mine = `mine/${this.#made}`;
    try {
      switch (random.below(9)) {
        case 0:
        case 1:
          return this.#write(path, own);
        case 2:
          return this.#write(`${dirname(path)}/${pick(random, NAMES)}`, own);
        case 3:
          return this.#write(`${path}/${pick(random, NAMES)}`, own);
        case 4:
          // A name that never counts, in a folder that is an input.
          return this.#write(`tree/${pick(random, NAMES.slice(2))}`, own);
        case 5:
          this.#write(mine, own);
          if (this.#owned.has(path)) return;
          mkdirSync(dirname(at), { recursive: true });
          rmSync(at, { force: true });
          symlinkSync(this.#project.path(mine), at);
          this.#owned.set(path, { target: this.#project.path(mine) });
          return;
        case 6:
          if (this.#owned.has(path)) return;
          mkdirSync(dirname(at), { recursive: true });
          rmSync(at, { force: true });
          if (random.below(2) === 0) {
            symlinkSync("/nowhere", at);
            this.#owned.set(path, { target: "/nowhere" });
          } else {
            this.#write(mine, own);
            linkSync(this.#project.path(mine), at);
            this.#owned.set(path, { content: own });
          }
          return;
        case 7:
          // Only times and modes: it stays lq's.
          if (random.below(2) === 0) utimesSync(at, new Date(), new Date());
          else chmodSync(at, 0o600);
          return;
        default: {
          // The results move to a bigger disk.
          const folder = pick(random, ["fan", "expanded", "scanned"]);
          if (lstatSync(this.#project.path(folder)).isSymbolicLink()) return;
          mkdirSync(this.#project.path("mine"), { recursive: true });
          renameSync(this.#project.path(folder), this.#project.path(mine));
          symlinkSync(this.#project.path(mine), this.#project.path(folder));
          this.#owned.set(folder, { target: this.#project.path(mine) });
        }
      }
    } catch (error) {
      // There is a folder where the file should go, or a file where its folder should.
      if (
        !["ENOTDIR", "EISDIR", "ERR_FS_EISDIR", "EEXIST", "ENOENT"].includes(
          (error as NodeJS.ErrnoException).code ?? "",
        )
      )
        throw error;
    }
  }

  #write(path: string, content: string): void {
    const at = this.#project.path(path);
    const before = this.#owned.get(path);
    // Writing through a link edits what it leads to.
    if (before !== undefined && "target" in before) return;
    mkdirSync(dirname(at), { recursive: true });
    const isShared = lstatSync(at, { throwIfNoEntry: false })?.nlink ?? 1;
    if (isShared > 1) return;
    writeFileSync(at, content);
    this.#owned.set(path, { content });
    this.counts["files of the user"] += 1;
  }

  #isThere(path: string, owned: Owned): boolean {
    const at = this.#project.path(path);
    try {
      if ("target" in owned) return readlinkSync(at) === owned.target;
      return lstatSync(at).isFile() && readFileSync(at, "utf8") === owned.content;
    } catch {
      return false;
    }
  }

  #check(where: string): void {
    const lost = [...this.#owned].filter(([path, owned]) => !this.#isThere(path, owned));
    expect([where, ...lost]).toEqual([where]);
  }
}

function readsFolder(model: Model, { id }: TaskModel): boolean {
  return model.spec.rules.get(id)?.kind === "gather";
}

function expectRefusal(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  expect(error.message).toMatch(REFUSAL);
}
