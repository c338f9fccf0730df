/** Finds a conda environment and the packages that are installed in it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import type { Setting } from "../model/model.ts";
import type { Variables } from "./shell-environment.ts";

/** Default folders of conda's installers, below the home folder. */
const HOMES = ["miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".conda", ".mamba"];

/**
 * @returns absolute path
 * @throws UserError if no environment has that name
 */
export function condaPrefix(root: string, { value, span }: Setting, variables: Variables): string {
  const places = value.includes("/") ? [resolve(root, value)] : candidates(value, variables);
  const found = places.find((place) => existsSync(join(place, "conda-meta")));
  if (found !== undefined) return found;
  throw new UserError({
    message: `there is no conda environment ${value}`,
    span,
    hint: "`conda env list` lists the environments of this machine; name any other by its folder",
  });
}

function candidates(name: string, variables: Variables): readonly string[] {
  const home = variables["HOME"] ?? "/";
  const executable = variables["CONDA_EXE"] ?? variables["MAMBA_EXE"];
  const bases = [
    ...(executable === undefined ? [] : [dirname(dirname(executable))]),
    ...[variables["MAMBA_ROOT_PREFIX"], variables["CONDA_ROOT"]].flatMap((base) => base ?? []),
    ...HOMES.map((folder) => join(home, folder)),
  ];
  const folders = (variables["CONDA_ENVS_PATH"] ?? "").split(":").filter(Boolean);
  return [
    ...folders.map((folder) => join(folder, name)),
    ...bases.map((base) => (name === "base" ? base : join(base, "envs", name))),
    // In this file conda lists every environment that it ever made.
    ...read(join(home, ".conda/environments.txt"))
      .split("\n")
      .filter((place) => basename(place) === name),
  ];
}

/**
 * Names and versions of the packages of all languages.
 * @param prefix absolute path of the environment
 */
export function condaPackages(prefix: string): { readonly name: string; readonly version: string }[] {
  return readdirSync(join(prefix, "conda-meta"))
    .flatMap((file) => {
      const [, name, version] = /^(.+)-([^-]+)-[^-]+\.json$/.exec(file) ?? [];
      return name !== undefined && version !== undefined ? [{ name, version }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
