/**
 * Runs tasks of `shape` rules on trial. `status` and dry runs execute them in a temporary folder, so that lq knows the
 * tasks that their outputs bring before anything is built. The project, its cache and the status of the task do not
 * change.
 */
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { errorCode, UserError } from "../model/errors.ts";
import { taskEnvironment } from "../execute/environment.ts";
import { Executor } from "../execute/execute.ts";
import { WorkerPool } from "../execute/pool.ts";
import { StagingArea } from "../execute/staging.ts";
import type { CodeClosures } from "../fingerprint/code.ts";
import { absolute } from "../model/paths.ts";
import type { Environments } from "../environment/environments.ts";
import { TaskReports } from "../execute/task-reports.ts";
import type { Preview } from "./plan.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Task } from "../model/model.ts";
import { readStaged } from "../record/store-run.ts";
import { partsOf } from "../store/action.ts";
import type { Store } from "../store/store.ts";
import { remove } from "../files/remove.ts";

interface Project {
  readonly root: string;
  readonly code: CodeClosures;
  readonly environments: Environments;
  readonly store: Store;
}

export class TrialRuns {
  readonly #project: Project;
  /** Made when the first task runs. */
  #place: { readonly folder: string; readonly pool: WorkerPool; readonly staging: StagingArea } | undefined;
  /** Contents of the files that tasks wrote, by digest. */
  readonly #contents = new Map<string, Buffer>();
  #tasks = 0;

  constructor(project: Project) {
    this.#project = project;
  }

  async run(task: Task, recipe: Recipe): Promise<Preview> {
    const { folder, pool, staging: area } = (this.#place ??= this.#makePlace());
    const root = join(folder, String(this.#tasks++));
    this.#layOut(recipe, root);
    const staging = area.take(task.outputs);
    const attempt = {
      root,
      log: join(root, "log"),
      devices: [],
      leases: [],
      cpus: 1,
      env: taskEnvironment([], 1, task.env, this.#project.environments.of(task.rule).variables),
      scratch: null,
      timeout: task.rule.timeout,
      grace: task.rule.grace,
      signal: new AbortController().signal,
    };
    // Bundle into the temporary folder: a user of `lq status` may have no permission to write in the project.
    const code = { bundle: (module: string) => this.#project.code.bundle(module, folder) };
    const reports = new TaskReports(task.id, join(root, "metrics"), false, () => undefined);
    const executor = new Executor(root, code, this.#project.environments, pool);
    const result = await executor.run(task, recipe, staging, attempt, reports);
    await executor.close();
    const error = result.kind === "failed" ? result.error : staging.missingOutput(task.outputs);
    if (error !== null) return { kind: "failed", error };
    const outputs = await Promise.all(staging.paths.map((path) => readStaged(path)));
    for (const [i, output] of outputs.entries())
      for (const { name, digest } of partsOf(output))
        this.#contents.set(digest, readFileSync((staging.paths[i] ?? "") + name));
    area.give(staging);
    return { kind: "written", outputs };
  }

  /** Content of a file that a trial run wrote; null if none wrote it. */
  read(digest: string): Buffer | null {
    return this.#contents.get(digest) ?? null;
  }

  async close(): Promise<void> {
    if (this.#place === undefined) return;
    await this.#place.pool.close();
    remove(this.#place.folder);
  }

  #makePlace() {
    const folder = makeFolder();
    const pool = new WorkerPool(this.#project.root, 1);
    return { folder, pool, staging: new StagingArea(join(folder, "staging")) };
  }

  /** Makes a project folder with only the recipe's inputs: as links, or as files where the input is not on the disk. */
  #layOut({ inputs }: Recipe, root: string): void {
    mkdirSync(root);
    for (const { path, digest, entries, names } of inputs) {
      if (isAbsolute(path) || names !== undefined) continue;
      for (const file of entries ?? [{ name: "", digest }]) {
        const place = join(root, path + file.name);
        mkdirSync(dirname(place), { recursive: true });
        const content = this.read(file.digest) ?? this.#project.store.read(file.digest);
        if (content === null) symlinkSync(absolute(this.#project.root, path + file.name), place);
        else writeFileSync(place, content);
      }
    }
  }
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "lq-"));
  } catch (error) {
    throw new UserError({
      message: `no temporary folder can be made in ${tmpdir()} (${errorCode(error)})`,
      hint: "set TMPDIR to a folder that can be written to",
    });
  }
}
