/**
 * Environments that only a shell can make: `module load`, and the scripts that conda runs on activation. They run once
 * in a build, and each task gets their changes to the environment.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { shellQuote as quote } from "../system/quote.ts";

export interface Variables {
  readonly [name: string]: string | undefined;
}

/** Files in which Environment Modules and Lmod define `module`. */
const MODULE_INITS = [
  "/etc/profile.d/lmod.sh",
  "/etc/profile.d/z00_lmod.sh",
  "/usr/share/lmod/lmod/init/bash",
  "/etc/profile.d/modules.sh",
  "/usr/share/modules/init/bash",
];

/** Separates the answer from what the scripts print before it. */
const MARK = "lq-environment";

/** Variables that every bash sets. */
const OWN = new Set(["_", "SHLVL", "PWD", "OLDPWD"]);

/** @returns the changes, or a text that says why it failed */
export function loadModules(names: readonly string[], variables: Variables): Variables | string {
  const home = variables["MODULESHOME"];
  const inits = [...(home === undefined ? [] : [`${home}/init/bash`]), ...MODULE_INITS].map(quote).join(" ");
  const lines = [
    `type module >/dev/null 2>&1 || for init in ${inits}; do [ -r "$init" ] && . "$init" && break; done`,
    "type module >/dev/null 2>&1 || { echo 'there is no command `module` here' >&2; exit 1; }",
    // Older versions exit with status 0 even if they fail.
    ...names.map((name) => `module load ${quote(name)} && module is-loaded ${quote(name)} || exit 1`),
  ];
  return changes(lines.join("\n"), variables);
}

/** @param prefix absolute path of a conda environment */
export function runActivation(prefix: string, variables: Variables): Variables | string {
  const folder = join(prefix, "etc/conda/activate.d");
  const scripts = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".sh")) : [];
  if (scripts.length === 0) return {};
  return changes(
    scripts
      .sort()
      .map((name) => `. ${quote(join(folder, name))}`)
      .join("\n"),
    variables,
  );
}

/** The changes that a script makes to an environment. */
function changes(script: string, variables: Variables): Variables | string {
  const text = `${script}\nprintf '%s\\0' ${MARK}; exec env -0`;
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", text], {
    env: { ...variables },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const at = (stdout ?? "").lastIndexOf(`${MARK}\0`);
  if (status !== 0 || at < 0)
    return (stderr ?? "").trim().split("\n").filter(Boolean).at(-1) ?? "bash cannot be started";
  const changed: { [name: string]: string } = {};
  for (const line of stdout.slice(at + MARK.length + 1).split("\0")) {
    const [name = "", ...value] = line.split("=");
    if (name !== "" && !OWN.has(name) && variables[name] !== value.join("=")) changed[name] = value.join("=");
  }
  return changed;
}
