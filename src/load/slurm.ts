/** `slurm: { partition: …, time: …, … }` of a machine, of the file, or of a rule. None of it is in any key. */
import type { SlurmSettings, Template } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { describe, readMap, refuseUnknownKeys } from "./read.ts";
import { parseTemplate, type Scope } from "./template.ts";
import type { Located } from "./yaml.ts";

/** Settings of a job. */
export const JOB_KEYS = [
  "partition",
  "account",
  "qos",
  "constraint",
  "reservation",
  "time",
  "gres",
  "options",
  "setup",
  "most_memory",
] as const;
/** Settings of a build, which a rule cannot have. */
export const QUEUE_KEYS = ["jobs", "pack", "poll"] as const;

const LISTS: ReadonlySet<string> = new Set(["gres", "options"]);

export const NO_SLURM: SlurmSettings = new Map();

/**
 * Lays the settings over `outer`, key by key.
 * @param keys that may stand here
 */
export function parseSlurm(
  node: Located | null | undefined,
  outer: SlurmSettings,
  keys: readonly string[],
  scope: Scope,
  problems: Problems,
): SlurmSettings {
  const map = node && readMap(node, '"slurm"', problems);
  if (!map) return outer;
  refuseUnknownKeys(map, keys, "slurm", problems);
  const settings = new Map(outer);
  for (const [name, { value }] of map.entries) {
    const items = LISTS.has(name) && value.kind === "list" ? value.items : [value];
    settings.set(
      name,
      items.flatMap((item) => parseText(item, name, scope, problems) ?? []),
    );
  }
  return settings;
}

/** `slurm: false` in a rule keeps its tasks where lq runs. */
export function parseRuleSlurm(
  node: Located | undefined,
  outer: SlurmSettings,
  scope: Scope,
  problems: Problems,
): SlurmSettings | null {
  if (node?.kind === "scalar" && node.value === false) return null;
  return parseSlurm(node, outer, JOB_KEYS, scope, problems);
}

/** Text, or a number as text. */
function parseText(node: Located, name: string, scope: Scope, problems: Problems): Template | null {
  if (node.kind === "scalar" && (typeof node.value === "string" || typeof node.value === "number"))
    return parseTemplate({ ...node, value: String(node.value) }, scope, problems);
  problems.add(`"${name}" must be text, not ${describe(node)}`, node.span);
  return null;
}
