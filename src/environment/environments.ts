/** Where scripts and commands run: their interpreters and the variables of their environments. */
import { constants, accessSync, statSync } from "node:fs";
import { basename, delimiter, join, resolve } from "node:path";
import { UserError, type Span } from "../model/errors.ts";
import type { Environment, Rule } from "../model/model.ts";
import { installation } from "../system/installation.ts";

export interface ResolvedEnvironment {
  /** Variables to set over those of lq itself. */
  readonly variables: { readonly [name: string]: string };
  /** Absolute path of the Python interpreter. @throws UserError if there is none */
  readonly python: () => string;
}

interface Variables {
  readonly [name: string]: string | undefined;
}

export class Environments {
  readonly #root: string;
  readonly #variables: Variables;
  readonly #known = new Map<Environment, ResolvedEnvironment>();

  /** @param variables of lq itself */
  constructor(root: string, variables: Variables) {
    this.#root = root;
    this.#variables = variables;
  }

  /** @throws UserError for an environment that is not there */
  of({ environment }: Pick<Rule, "environment">): ResolvedEnvironment {
    let known = this.#known.get(environment);
    if (known === undefined) this.#known.set(environment, (known = this.#resolve(environment)));
    return known;
  }

  /** All that programs of the rule find in their environment, as far as it is the same for all its tasks. */
  variablesOf(rule: Pick<Rule, "environment" | "env">): Variables {
    const own: { [name: string]: string } = {};
    for (const [name, template] of rule.env) {
      const [part, ...more] = template?.parts ?? [];
      if (part?.kind === "text" && more.length === 0) own[name] = part.text;
    }
    return { ...this.#variables, ...this.of(rule).variables, ...own };
  }

  #resolve({ python, venv }: Environment): ResolvedEnvironment {
    const activated = venv === null ? {} : this.#activated(venv);
    const path = activated["PATH"] ?? this.#variables["PATH"] ?? "";
    const named = this.#variables[SETTING] || python?.value;
    const find = (): string => {
      const name = named ?? "python3";
      const found = this.#program(name, path);
      if (found !== null) return found;
      const where = this.#variables[SETTING] ? `${SETTING} names` : "the environment names";
      throw new UserError({
        message:
          named === undefined
            ? "there is no Python (python3) here"
            : `there is no Python ${name}, which ${where}`,
        ...(python && !this.#variables[SETTING] ? { span: python.span } : {}),
        hint: "install it, or name another with environment: { python: … } or LQ_PYTHON",
      });
    };
    const isConfigured = named !== undefined || venv !== null;
    const variables = { ...activated, ...(isConfigured ? { [SETTING]: find() } : {}) };
    return { variables, python: find };
  }

  /** What activating a virtual environment changes. */
  #activated({ value, span }: { readonly value: string; readonly span: Span }): { [name: string]: string } {
    const folder = resolve(this.#root, value);
    if (!isProgram(join(folder, "bin/python")))
      throw new UserError({
        message: `there is no virtual environment ${value}`,
        span,
        hint: `make it: python3 -m venv ${value}`,
      });
    const path = `${join(folder, "bin")}${delimiter}${this.#variables["PATH"] ?? ""}`;
    return { VIRTUAL_ENV: folder, VIRTUAL_ENV_PROMPT: basename(folder), PATH: path, PYTHONHOME: "" };
  }

  #program(name: string, path: string): string | null {
    const places = name.includes("/")
      ? [resolve(this.#root, name)]
      : path.split(delimiter).map((folder) => join(resolve(this.#root, folder), name));
    return places.find(isProgram) ?? null;
  }
}

/** Names the interpreter, over what pipeline.yaml says; tasks find there which one is theirs. */
const SETTING = "LQ_PYTHON";

/** The environment variables of lq that decide which interpreter runs, and what it finds. */
export const DECIDING = [SETTING, "PATH", "PYTHONPATH", "PYTHONNOUSERSITE", "PYENV_VERSION"];

/** @returns the words that run a script in the project's folder */
export function scriptCommand(path: string, { python }: ResolvedEnvironment): readonly string[] {
  const ending = path.slice(path.lastIndexOf(".") + 1);
  const place = path.startsWith("-") ? `./${path}` : path;
  switch (ending) {
    case "py":
      return [python(), place];
    case "R":
    case "r":
      return ["Rscript", place];
    case "jl":
      return ["julia", place];
    case "sh":
    case "bash":
      return ["bash", "-euo", "pipefail", place];
    default:
      return ["node", place];
  }
}

/** Python's path for tasks: the module `lq` by which a script asks for its task, then what was there before. */
export function pythonPath(before: string | undefined): string {
  const own = join(installation(), "python");
  return before === undefined || before === "" ? own : `${own}${delimiter}${before}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
