/** Reads `environment: { venv: …, modules: […], … }` of the file, of a rule, or of a machine. */
import type { Environment } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { isText, readBoolean, readMap, readText, readTexts, refuseUnknownKeys } from "./read.ts";
import type { Located } from "./yaml.ts";

export const ENVIRONMENT_KEYS = ["python", "venv", "conda", "modules", "container", "setup"] as const;

export const NO_ENVIRONMENT: Environment = {
  python: null,
  venv: null,
  conda: null,
  modules: [],
  container: null,
  setup: null,
};

/** @param outer gives the values of keys that this environment does not set */
export function parseEnvironment(
  node: Located | undefined,
  outer: Environment,
  problems: Problems,
): Environment {
  const map = node && readMap(node, '"environment"', problems);
  if (!map) return outer;
  refuseUnknownKeys(map, ENVIRONMENT_KEYS, "environment", problems);
  const get = (key: (typeof ENVIRONMENT_KEYS)[number]) => map.entries.get(key)?.value;
  const text = (key: "python" | "venv" | "conda" | "container") => {
    const value = get(key);
    const read = value && readText(value, `"${key}"`, problems);
    return read ? { value: read.value, span: read.span } : null;
  };
  const [venv, conda, container] = [text("venv"), text("conda"), text("container")];
  if (venv && conda) problems.add('"venv" and "conda" cannot both be active', conda.span, "keep one of them");
  if (container?.value.startsWith("docker://") === true && !/@sha256:[0-9a-f]{64}$/.test(container.value))
    problems.add(
      "a container's image must be named by its digest",
      container.span,
      "write docker://NAME@sha256:… (`docker images --digests` shows it)",
    );
  const [modules, setup] = [get("modules"), get("setup")];
  return {
    python: text("python") ?? outer.python,
    // The inner environment wins: its conda replaces an outer venv.
    venv: venv ?? (conda ? null : outer.venv),
    conda: conda ?? (venv ? null : outer.conda),
    modules: modules
      ? readTexts(modules, "a module", problems).map(({ value, span }) => ({ value, span }))
      : outer.modules,
    container: container ?? outer.container,
    setup: setup ? parseSetup(setup, problems) : outer.setup,
  };
}

export const SETUP_KEYS = ["text", "counts"] as const;

/** Reads shell text, or a map with the text and whether it counts for keys. */
function parseSetup(node: Located, problems: Problems): Environment["setup"] {
  if (isText(node)) return { text: node.value, counts: false };
  const map = readMap(node, '"setup"', problems);
  if (!map) return null;
  refuseUnknownKeys(map, SETUP_KEYS, "setup", problems);
  const [text, counts] = SETUP_KEYS.map((key) => map.entries.get(key)?.value);
  const read = text && readText(text, '"text"', problems);
  if (!read) problems.add('"setup" needs "text"', node.span);
  return { text: read?.value ?? "", counts: counts ? readBoolean(counts, '"counts"', problems) : false };
}
