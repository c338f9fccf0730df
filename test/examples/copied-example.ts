/** A folder of examples/, copied out of the repository. */
import { cpSync } from "node:fs";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

/** @param files paths (of files or folders) to copy to places in the project */
export function copiedExample(name: string, files: { readonly [place: string]: string }): CliProject {
  const project = cliProject({});
  cpSync(`${HOME}examples/${name}`, project.root, { recursive: true });
  for (const [place, from] of Object.entries(files)) cpSync(from, project.path(place), { recursive: true });
  return project;
}
