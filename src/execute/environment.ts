/**
 * Makes the environment variables of a task: for its devices and its number of cores, and those that the rule declares.
 */

import { pythonPath } from "../environment/interpreters.ts";

/** The thread pools of OpenMP, the BLAS libraries, NumExpr, Polars and Rayon read these. A user's value stays. */
const THREAD_COUNTS = [
  "OMP_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "MKL_NUM_THREADS",
  "BLIS_NUM_THREADS",
  "NUMEXPR_NUM_THREADS",
  "VECLIB_MAXIMUM_THREADS",
  "POLARS_MAX_THREADS",
  "RAYON_NUM_THREADS",
];

/** Environments of rules that declare no variables: most tasks share one. */
const common = new WeakMap<object, Map<string, { readonly [name: string]: string }>>();

/**
 * Variables that a task gets in addition to lq's own.
 *
 * @param declared variables that the rule declares; null: as in lq's own environment
 * @param environment variables of the environment that the rule names
 */
export function taskEnvironment(
  devices: readonly string[],
  cpus: number,
  declared: { readonly [name: string]: string | null },
  environment: { readonly [name: string]: string },
): { readonly [name: string]: string } {
  const plain = Object.keys(declared).length === 0 ? `${cpus} ${devices.join(",")}` : null;
  const alike = common.get(environment) ?? new Map<string, { readonly [name: string]: string }>();
  common.set(environment, alike);
  const known = plain === null ? undefined : alike.get(plain);
  if (known !== undefined) return known;
  const env: { [name: string]: string } = {
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    CUDA_VISIBLE_DEVICES: devices.join(","),
    ...environment,
  };
  for (const name of THREAD_COUNTS) env[name] ||= process.env[name] || String(cpus);
  for (const [name, value] of Object.entries(declared)) if (value !== null) env[name] = value;
  env["PYTHONPATH"] = pythonPath(env["PYTHONPATH"] ?? process.env["PYTHONPATH"]);
  if (plain !== null) alike.set(plain, env);
  return env;
}

const texts = new WeakMap<object, string>();

/** A text that is the same for equal environments. It helps to find a process with that environment. */
export function environmentText(env: { readonly [name: string]: string }): string {
  let text = texts.get(env);
  if (text === undefined) texts.set(env, (text = JSON.stringify(Object.entries(env).sort())));
  return text;
}
