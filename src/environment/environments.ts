/** The environments of scripts and commands: interpreters, environment variables, containers. */
import { accessSync, constants, statSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import type { Environment, Rule, Setting } from "../model/model.ts";
import { condaPrefix } from "./conda.ts";
import { containerOf, type Container } from "./container.ts";
import { loadModules, runActivation, type Variables } from "./shell-environment.ts";

export interface ResolvedEnvironment {
  /** Variables to set in addition to lq's own. */
  readonly variables: { readonly [name: string]: string };
  /** Absolute path of the Python interpreter. @throws UserError if there is none */
  readonly python: () => string;
  /** Absolute path of the conda environment. */
  readonly conda: string | null;
  readonly container: Container | null;
  /** Shell text before each command. */
  readonly setup: string | null;
}

/** The variable that names the interpreter. It overrides pipeline.yaml. lq also sets it for each task. */
const SETTING = "LQ_PYTHON";

/** lq's own environment variables that decide which interpreter runs and what it finds. */
export const DECIDING = [
  ...[SETTING, "PATH", "PYTHONPATH", "PYTHONNOUSERSITE", "PYENV_VERSION"],
  ...["HOME", "CONDA_EXE", "CONDA_ENVS_PATH", "MAMBA_ROOT_PREFIX"],
];

export class Environments {
  readonly #root: string;
  readonly #variables: Variables;
  readonly #known = new Map<Environment, ResolvedEnvironment>();

  /** @param variables lq's own environment variables */
  constructor(root: string, variables: Variables) {
    this.#root = root;
    this.#variables = variables;
  }

  /** @throws UserError if the environment does not exist */
  of({ environment }: Pick<Rule, "environment">): ResolvedEnvironment {
    let known = this.#known.get(environment);
    if (known === undefined) this.#known.set(environment, (known = this.#resolve(environment)));
    return known;
  }

  /** The environment variables that all tasks of the rule share. */
  variablesOf(rule: Pick<Rule, "environment" | "env">): Variables {
    const own: { [name: string]: string } = {};
    for (const [name, template] of rule.env) {
      const [part, ...more] = template?.parts ?? [];
      if (part?.kind === "text" && more.length === 0) own[name] = part.text;
    }
    return { ...this.#variables, ...this.of(rule).variables, ...own };
  }

  #resolve({ python, venv, conda, modules, container, setup }: Environment): ResolvedEnvironment {
    const prefix = conda === null ? null : condaPrefix(this.#root, conda, this.#variables);
    let changed: { [name: string]: string } = {};
    const change = (more: { readonly [name: string]: string | undefined }): void => {
      changed = { ...changed, ...(more as { readonly [name: string]: string }) };
    };
    const now = (): Variables => ({ ...this.#variables, ...changed });
    if (modules.length > 0) change(this.#modules(modules));
    if (venv !== null) change(this.#venv(venv, now()));
    if (conda !== null && prefix !== null) change(this.#conda(conda, prefix, now()));
    const path = now()["PATH"] ?? "";
    const find = (): string => this.#python(python, path);
    const isNamed = Boolean(this.#variables[SETTING]) || python !== null || venv !== null;
    if (isNamed && container === null) change({ [SETTING]: find() });
    return {
      variables: changed,
      // The container has an interpreter of its own, which lq does not know.
      python: find,
      conda: prefix,
      container: container && containerOf(container, (name) => this.#program(name, path)),
      setup: setup?.text ?? null,
    };
  }

  #python(python: Setting | null, path: string): string {
    const setting = this.#variables[SETTING];
    const named = setting || python?.value;
    const found = this.#program(named ?? "python3", path);
    if (found !== null) return found;
    const where = setting ? `${SETTING} names` : "the environment names";
    throw new UserError({
      message:
        named === undefined
          ? "there is no Python (python3) here"
          : `there is no Python ${named}, which ${where}`,
      ...(python && !setting ? { span: python.span } : {}),
      hint: "install it, or name another with environment: { python: … } or LQ_PYTHON",
    });
  }

  #modules(modules: readonly Setting[]): Variables {
    const names = modules.map(({ value }) => value);
    const changed = loadModules(names, this.#variables);
    if (typeof changed !== "string") return changed;
    throw new UserError({
      message: `the modules ${names.join(", ")} cannot be loaded: ${changed}`,
      ...(modules[0] && { span: modules[0].span }),
      hint: "`module avail` lists the modules of this machine",
    });
  }

  /** The changes that activating a virtual environment makes. */
  #venv({ value, span }: Setting, variables: Variables): Variables {
    const folder = resolve(this.#root, value);
    if (!isProgram(join(folder, "bin/python")))
      throw new UserError({
        message: `there is no virtual environment ${value}`,
        span,
        hint: `make it: python3 -m venv ${value}`,
      });
    return {
      VIRTUAL_ENV: folder,
      VIRTUAL_ENV_PROMPT: basename(folder),
      PATH: before(join(folder, "bin"), variables["PATH"]),
      PYTHONHOME: "",
    };
  }

  /** The changes that activating a conda environment makes. */
  #conda({ value, span }: Setting, prefix: string, variables: Variables): Variables {
    const own = {
      CONDA_PREFIX: prefix,
      CONDA_DEFAULT_ENV: basename(prefix),
      CONDA_SHLVL: "1",
      PATH: before(join(prefix, "bin"), variables["PATH"]),
      PYTHONHOME: "",
    };
    const changed = runActivation(prefix, { ...variables, ...own });
    if (typeof changed !== "string") return { ...own, ...changed };
    throw new UserError({ message: `the conda environment ${value} cannot be activated: ${changed}`, span });
  }

  #program(name: string, path: string): string | null {
    const places = name.includes("/")
      ? [resolve(this.#root, name)]
      : path.split(delimiter).map((folder) => join(resolve(this.#root, folder), name));
    return places.find(isProgram) ?? null;
  }
}

function before(folder: string, path: string | undefined): string {
  return path === undefined || path === "" ? folder : `${folder}${delimiter}${path}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
