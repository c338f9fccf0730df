/** Executes one attempt of a task, as a command or in a worker. The task writes its outputs to a staging folder. */
import type { Environments } from "../environment/environments.ts";
import type { CodeClosures } from "../fingerprint/code.ts";
import { absolute } from "../model/paths.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Declaration, Task, TaskAction, TaskPath } from "../model/model.ts";
import type { Attempt, AttemptResult } from "./attempt.ts";
import { runCommand } from "./command.ts";
import { Launchers } from "./launcher.ts";
import type { WorkerPool } from "./pool.ts";
import type { Staging } from "./staging.ts";
import { paramValues, programOf, stagedBy } from "./program.ts";
import { followLines } from "./follow-lines.ts";
import type { TaskReports } from "./task-reports.ts";
import type { RolePaths } from "./worker-messages.ts";

export class Executor {
  readonly #root: string;
  readonly #code: Pick<CodeClosures, "bundle">;
  readonly #environments: Environments;
  readonly #pool: WorkerPool;
  readonly #launchers: Launchers;

  /** Call `close` at the end, because the executor keeps processes. */
  constructor(
    root: string,
    code: Pick<CodeClosures, "bundle">,
    environments: Environments,
    pool: WorkerPool,
  ) {
    this.#environments = environments;
    this.#launchers = new Launchers(pool.most);
    this.#root = root;
    this.#code = code;
    this.#pool = pool;
  }

  /** Call this when nothing runs any more. */
  close(): Promise<void> {
    return this.#launchers.close();
  }

  async run(
    task: Task,
    recipe: Recipe,
    staging: Staging,
    attempt: Attempt,
    reports: TaskReports,
  ): Promise<AttemptResult> {
    const { action } = task;
    if (action.kind !== "run") return this.#runProgram(task, action, staging, attempt, reports);
    const staged = stagedBy(task, staging);
    const names = new Map(
      recipe.inputs.map((input) => [input.path, input.names ?? input.entries?.map(({ name }) => name)]),
    );
    const job = {
      module: { name: action.module, bundle: await this.#code.bundle(action.module) },
      params: paramValues(task),
      inputs: byRole(
        task.rule.inputs,
        task.inputs,
        ({ path }) => absolute(this.#root, path),
        ({ path }) => names.get(path) ?? [],
      ),
      outputs: byRole(task.rule.outputs, task.outputs, staged, () => []),
    };
    return this.#pool.run(job, attempt, reports);
  }

  /** Runs a command or a script. */
  async #runProgram(
    task: Task,
    action: Exclude<TaskAction, { readonly kind: "run" }>,
    staging: Staging,
    attempt: Attempt,
    reports: TaskReports,
  ): Promise<AttemptResult> {
    const { argv, own } = programOf(this.#root, this.#environments, task, action, staging, attempt);
    const stop = followLines(own.LQ_METRICS, (line) => reports.line(line));
    try {
      return await runCommand(argv, attempt, own, this.#launchers, (chunk) => reports.printed(chunk));
    } finally {
      stop();
    }
  }
}

function byRole(
  slots: readonly Declaration[],
  paths: readonly TaskPath[],
  locate: (path: TaskPath) => string,
  list: (path: TaskPath) => readonly string[],
): readonly RolePaths[] {
  return slots.map(({ role, list: isList, names }) => {
    const members = paths.filter((path) => path.role === role);
    return { role, list: isList, paths: names ? [] : members.map(locate), files: members.map(list) };
  });
}
