/** Executes one attempt of a task, as a command or in a worker, with its outputs going to a staging folder. */
import { inContainer } from "../environment/container.ts";
import type { Environments } from "../environment/environments.ts";
import { pythonFolder, scriptCommand } from "../environment/interpreters.ts";
import type { CodeClosures } from "../fingerprint/code.ts";
import { dirname } from "node:path";
import { absolute } from "../model/paths.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Declaration, Task, TaskAction, TaskPath } from "../model/model.ts";
import type { Attempt, AttemptResult } from "./attempt.ts";
import { runCommand } from "./command.ts";
import { Launchers } from "./launcher.ts";
import type { WorkerPool } from "./pool.ts";
import { renderCommand } from "../fingerprint/render-command.ts";
import type { Staging } from "./staging.ts";
import { followMetrics } from "./metrics-file.ts";
import { writeTaskFile } from "./task-file.ts";
import type { TaskReports } from "./task-reports.ts";
import type { ParamValues, RolePaths } from "./worker-messages.ts";

export class Executor {
  readonly #root: string;
  readonly #code: Pick<CodeClosures, "bundle">;
  readonly #environments: Environments;
  readonly #pool: WorkerPool;
  readonly #launchers: Launchers;

  /** To be closed: it keeps processes. */
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

  /** When nothing runs any more. */
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

  /** A command or a script. */
  async #runProgram(
    task: Task,
    action: Exclude<TaskAction, { readonly kind: "run" }>,
    staging: Staging,
    attempt: Attempt,
    reports: TaskReports,
  ): Promise<AttemptResult> {
    const paths = this.#commandPaths(task, staging, attempt);
    const { container, python, setup } = this.#environments.of(task.rule);
    const { python: named } = task.rule.environment;
    const words =
      action.kind === "script"
        ? scriptCommand(action.path, container === null ? python : () => named?.value ?? "python3")
        : renderCommand(action.command, paths);
    const own = { LQ_TASK_FILE: staging.beside("task.json"), LQ_METRICS: staging.beside("metrics.jsonl") };
    writeTaskFile(own.LQ_TASK_FILE, task, paramValues(task), paths.of, {
      ...attempt,
      scratch: paths.scratch,
    });
    const prepared = setup === null ? words : afterSetup(setup, words);
    const argv =
      container === null
        ? prepared
        : inContainer(container, prepared, {
            folders: [this.#root, pythonFolder(), ...outsideFolders(task)],
            variables: [...Object.keys({ ...attempt.env, ...own, ...task.env })],
            devices: attempt.devices,
          });
    const stop = followMetrics(own.LQ_METRICS, (line) => reports.line(line));
    try {
      return await runCommand(argv, attempt, own, this.#launchers, (chunk) => reports.printed(chunk));
    } finally {
      stop();
    }
  }

  /** Relative to the project, where commands run: what they print of them is then the same in every checkout. */
  #commandPaths(task: Task, staging: Staging, attempt: Attempt) {
    const relative = (path: string): string =>
      path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : path;
    const staged = stagedBy(task, staging);
    const outputs = new Set(task.outputs);
    const ofRole = (paths: readonly TaskPath[], role: string | null): readonly TaskPath[] =>
      paths.filter((path) => role === null || path.role === role);
    return {
      in: (role: string | null) => ofRole(task.inputs, role).map(({ path }) => path),
      out: (role: string | null) => ofRole(task.outputs, role).map((output) => relative(staged(output))),
      of: (path: TaskPath) => (outputs.has(path) ? relative(staged(path)) : path.path),
      scratch: attempt.scratch === null ? null : relative(attempt.scratch),
    };
  }
}

/** Shell text first, then the command, in the shell that read the text if the command is for one. */
function afterSetup(setup: string, words: readonly string[]): readonly string[] {
  const isShell = words[0] === "bash" && words[3] === "-c" && words.length === 5;
  return isShell
    ? ["bash", "-c", `${setup}\nset -euo pipefail\n${words[4] ?? ""}`]
    : ["bash", "-c", `${setup}\nexec "$@"`, "lq", ...words];
}

/** Where inputs lie that are not in the project. */
function outsideFolders({ inputs }: Task): readonly string[] {
  const outside = inputs.map(({ path }) => path).filter((path) => path.startsWith("/"));
  return [...new Set(outside.map((path) => dirname(path)))];
}

export function paramValues(task: Task): ParamValues {
  return Object.fromEntries(Object.entries(task.params).map(([name, { value }]) => [name, value]));
}

function stagedBy(task: Task, staging: Staging): (output: TaskPath) => string {
  const paths = new Map(task.outputs.map((output, index) => [output, staging.paths[index] ?? ""]));
  return (output) => paths.get(output) ?? "";
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
