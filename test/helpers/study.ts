/** A copy of the study: its real pipeline and task modules in a temporary project. */
import { cpSync } from "node:fs";
import { HOME } from "./bundle.ts";
import { cliProject, type CliProject } from "./cli.ts";

/** @param files further files of the project, content by path */
export function studyCopy(files: { readonly [path: string]: string } = {}): CliProject {
  const project = cliProject({});
  for (const part of ["pipeline.yaml", "params.yaml", "profiles", "tasks"])
    cpSync(`${HOME}${part}`, project.path(part), { recursive: true });
  for (const [path, content] of Object.entries(files)) project.write(path, content);
  return project.withPackages();
}
