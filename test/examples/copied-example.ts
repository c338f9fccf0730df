/** Copies a folder of examples/ into a temporary project. */
import { cpSync } from "node:fs";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

/** @param files for each place in the project the file or folder to copy there */
export function copiedExample(name: string, files: { readonly [place: string]: string }): CliProject {
  const project = cliProject({});
  cpSync(`${HOME}examples/${name}`, project.root, { recursive: true });
  for (const [place, from] of Object.entries(files)) cpSync(from, project.path(place), { recursive: true });
  return project;
}
