/** Makes the words and variables with which a command or a script starts. */
import { dirname } from "node:path";
import { inContainer } from "../environment/container.ts";
import type { Environments } from "../environment/environments.ts";
import { pythonFolder, scriptCommand } from "../environment/interpreters.ts";
import { renderCommand } from "../fingerprint/render-command.ts";
import type { Task, TaskAction, TaskPath } from "../model/model.ts";
import { inFile } from "./argument-limits.ts";
import type { Attempt } from "./attempt.ts";
import type { Staging } from "./staging.ts";
import { writeTaskFile } from "./task-file.ts";
import type { ParamValues } from "./worker-messages.ts";

export interface Program {
  readonly argv: readonly string[];
  /** Variables for this attempt only. */
  readonly own: { readonly LQ_TASK_FILE: string; readonly LQ_METRICS: string };
  /** The paths at which the program finds each input and must write each output, relative to the project. */
  readonly locate: (path: TaskPath) => string;
}

/** Also writes the file with which a program can read its task. */
export function programOf(
  root: string,
  environments: Environments,
  task: Task,
  action: Exclude<TaskAction, { readonly kind: "run" }>,
  staging: Staging,
  attempt: Attempt,
): Program {
  const { container, python, setup } = environments.of(task.rule);
  const { python: named } = task.rule.environment;
  const locate = locator(root, task, staging);
  const ofRole = (paths: readonly TaskPath[]) => (role: string | null) =>
    paths.filter((path) => role === null || path.role === role).map(locate);
  const scratch = attempt.scratch === null ? null : inside(root, attempt.scratch);
  const words =
    action.kind === "script"
      ? scriptCommand(action.path, container === null ? python : () => named?.value ?? "python3")
      : renderCommand(action.command, { in: ofRole(task.inputs), out: ofRole(task.outputs), scratch });
  const own = { LQ_TASK_FILE: staging.beside("task.json"), LQ_METRICS: staging.beside("metrics.jsonl") };
  writeTaskFile(own.LQ_TASK_FILE, task, paramValues(task), locate, { ...attempt, scratch });
  const inShell = setup === null ? words : afterSetup(setup, words);
  const isText = action.kind === "cmd" && "parts" in action.command;
  const prepared = isText ? inFile(inShell, staging.beside("command.sh")) : inShell;
  if (container === null) return { argv: prepared, own, locate };
  const argv = inContainer(container, prepared, {
    folders: [root, pythonFolder(), ...outsideFolders(task)],
    variables: Object.keys({ ...attempt.env, ...own, ...task.env }),
    devices: attempt.devices,
  });
  return { argv, own, locate };
}

export function paramValues(task: Task): ParamValues {
  return Object.fromEntries(Object.entries(task.params).map(([name, { value }]) => [name, value]));
}

/** Absolute paths of outputs while the task runs. */
export function stagedBy(task: Task, staging: Staging): (output: TaskPath) => string {
  const paths = new Map(task.outputs.map((output, index) => [output, staging.paths[index] ?? ""]));
  return (output) => paths.get(output) ?? "";
}

/** Paths relative to the project, where commands run. So commands print the same paths in every checkout. */
function locator(root: string, task: Task, staging: Staging): Program["locate"] {
  const staged = stagedBy(task, staging);
  const outputs = new Set(task.outputs);
  return (path) => (outputs.has(path) ? inside(root, staged(path)) : path.path);
}

function inside(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

/** Runs shell text before the command. A command that needs a shell runs in the same shell. */
function afterSetup(setup: string, words: readonly string[]): readonly string[] {
  const isShell = words[0] === "bash" && words[3] === "-c" && words.length === 5;
  return isShell
    ? ["bash", "-c", `${setup}\nset -euo pipefail\n${words[4] ?? ""}`]
    : ["bash", "-c", `${setup}\nexec "$@"`, "lq", ...words];
}

/** Folders of the inputs that are not in the project. */
function outsideFolders({ inputs }: Task): readonly string[] {
  const outside = inputs.map(({ path }) => path).filter((path) => path.startsWith("/"));
  return [...new Set(outside.map((path) => dirname(path)))];
}
