/**
 * Reads a user's settings for all projects on a machine: `~/.config/lq/config.yaml` (or under XDG_CONFIG_HOME). They
 * can change which devices tasks run on, but never what tasks make.
 *
 *     gpu:
 *       busy: 2GiB                  # do not use a device while other programs use more of its memory than this
 *       groups: [[0, 1], [2, 3]]    # a task with several devices gets them from one of these groups
 *     executor: slurm               # where tasks run when no flag says so
 *     slurm: { partition: short }   # as in pipeline.yaml
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { EXECUTORS, type Executor } from "../model/executors.ts";
import type { Environment } from "../model/model.ts";
import { NO_ENVIRONMENT, parseEnvironment } from "./environment.ts";
import { readSource } from "./files.ts";
import { Problems } from "./problems.ts";
import { describe, readMap, refuseUnknownKeys } from "./read.ts";
import { parseBytes } from "./slots.ts";
import { parseYaml, type Located } from "./yaml.ts";

export interface Config {
  /** lq does not use a device while others use more than this many bytes of its memory. Null: only leases decide. */
  readonly busy: number | null;
  /** Indices or UUIDs of devices that belong together, one list for each group. */
  readonly groups: readonly (readonly string[])[];
  /** Where commands and scripts run, for keys that a project does not set. */
  readonly environment: Environment;
  readonly executor: Executor;
  /** Settings for Slurm, not parsed yet: they may name params of the project. */
  readonly slurm: Located | null;
}

const NOTHING: Config = {
  busy: null,
  groups: [],
  environment: NO_ENVIRONMENT,
  executor: "local",
  slurm: null,
};

/** @throws UserError with every problem in the file */
export function loadConfig(env: { readonly [name: string]: string | undefined }): Config {
  const file = configFile(env);
  const text = file === null ? null : readSource("", file);
  if (file === null || text === null) return NOTHING;
  const problems = new Problems();
  const node = parseYaml(file, text, problems);
  const config = node && parseConfig(node, problems);
  problems.throwIfAny();
  return config ?? NOTHING;
}

/** Absolute path of the settings, even if there is no such file; null if the user has no home folder. */
export function configFile(env: { readonly [name: string]: string | undefined }): string | null {
  const settings = env["XDG_CONFIG_HOME"] || inHome(".config");
  return settings === null ? null : join(settings, "lq/config.yaml");
}

/** Null if the user has no home folder, as in some containers. */
function inHome(name: string): string | null {
  try {
    return join(homedir(), name);
  } catch {
    return null;
  }
}

function parseConfig(node: Located, problems: Problems): Config {
  if (isNothing(node)) return NOTHING;
  const map = readMap(node, "config.yaml", problems);
  if (map) refuseUnknownKeys(map, ["gpu", "environment", "executor", "slurm"], "config.yaml", problems);
  const gpu = map?.entries.get("gpu")?.value;
  const environment = parseEnvironment(map?.entries.get("environment")?.value, NO_ENVIRONMENT, problems);
  const executor = parseExecutor(map?.entries.get("executor")?.value, problems);
  const slurm = map?.entries.get("slurm")?.value;
  const others = { environment, executor, slurm: slurm === undefined || isNothing(slurm) ? null : slurm };
  const settings = gpu && !isNothing(gpu) && readMap(gpu, '"gpu"', problems);
  if (!settings) return { ...NOTHING, ...others };
  refuseUnknownKeys(settings, ["busy", "groups"], "gpu", problems);
  const busy = settings.entries.get("busy")?.value;
  const groups = settings.entries.get("groups")?.value;
  return {
    busy: busy ? parseBytes(busy, '"busy"', problems) : null,
    groups: groups ? parseGroups(groups, problems) : [],
    ...others,
  };
}

function parseExecutor(node: Located | undefined, problems: Problems): Executor {
  if (node === undefined || isNothing(node)) return "local";
  const known = EXECUTORS.find((name) => node.kind === "scalar" && node.value === name);
  if (known === undefined)
    problems.add(`"executor" must be ${EXECUTORS.join(" or ")}, not ${describe(node)}`, node.span);
  return known ?? "local";
}

function parseGroups(node: Located, problems: Problems): readonly (readonly string[])[] {
  const members = readItems(node).map((group) => readItems(group).map(readId));
  const ids = members.flat();
  if (members.length > 0 && members.every(({ length }) => length > 0) && ids.every((id) => id !== null)) {
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    if (twice !== undefined) problems.add(`device ${twice} is in "groups" twice`, node.span);
    return members.map((group) => group.filter((id) => id !== null));
  }
  const hint = "write lists of device indices or UUIDs, as in groups: [[0, 1], [2, 3]]";
  problems.add(`"groups" must be a list of lists, not ${describe(node)}`, node.span, hint);
  return [];
}

/** Whether a value is empty, for example because everything is commented out. */
function isNothing(node: Located): boolean {
  return node.kind === "scalar" && node.value === null;
}

function readItems(node: Located): readonly Located[] {
  return node.kind === "list" ? node.items : [];
}

function readId(node: Located): string | null {
  if (node.kind !== "scalar" || node.value === null || typeof node.value === "boolean") return null;
  return String(node.value);
}
