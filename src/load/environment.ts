/** `environment: { python: …, venv: … }`, of the file and of each rule. */
import type { Environment } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { readMap, readText, refuseUnknownKeys } from "./read.ts";
import type { Located } from "./yaml.ts";

export const ENVIRONMENT_KEYS = ["python", "venv"] as const;

export const NO_ENVIRONMENT: Environment = { python: null, venv: null };

/** @param outer what holds where this says nothing */
export function parseEnvironment(
  node: Located | undefined,
  outer: Environment,
  problems: Problems,
): Environment {
  const map = node && readMap(node, '"environment"', problems);
  if (!map) return outer;
  refuseUnknownKeys(map, ENVIRONMENT_KEYS, "environment", problems);
  const text = (key: (typeof ENVIRONMENT_KEYS)[number]) => {
    const value = map.entries.get(key)?.value;
    const read = value && readText(value, `"${key}"`, problems);
    return read ? { value: read.value, span: read.span } : outer[key];
  };
  return { python: text("python"), venv: text("venv") };
}
