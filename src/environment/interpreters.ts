/** Chooses the program that runs a script, by the ending of the script's name. */
import { delimiter, join } from "node:path";
import { installation } from "../system/installation.ts";

/**
 * @param path relative to the project
 * @param python the interpreter of Python scripts
 * @returns the words that run the script in the project's folder
 */
export function scriptCommand(path: string, python: () => string): readonly string[] {
  const place = path.startsWith("-") ? `./${path}` : path;
  switch (path.slice(path.lastIndexOf(".") + 1)) {
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

/** The folder of the Python module `lq`, through which a script asks for its task. */
export function pythonFolder(): string {
  return join(installation(), "python");
}

/** PYTHONPATH for tasks: the folder of the module `lq`, and then the former path. */
export function pythonPath(before: string | undefined): string {
  return before === undefined || before === "" ? pythonFolder() : `${pythonFolder()}${delimiter}${before}`;
}
