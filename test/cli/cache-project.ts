/** A project with files and a folder as outputs, and what tests of the cache do to its store: find objects, age files. */
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../src/system/digest.ts";
import { clean as cleanOutputs } from "../../src/run/clean.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

export const RULES = `rules:
  copy:
    each: { name: { glob: "src/*.txt" } }
    cmd: "cat \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "out/\${name}.txt"
  tree:
    cmd: "mkdir -p \${out}d && cp src/*.txt \${out}d/ && printf '#!/bin/sh' > \${out}run && chmod +x \${out}run"
    in: src/
    out: tree/
`;

export function project(cache = ""): CliProject {
  const sources = { "src/a.txt": "alpha\n", "src/b.txt": "beta\n" };
  return cliProject({ "pipeline.yaml": `version: 1\n${cache}${RULES}`, ...sources });
}

export async function build(
  of: CliProject,
  ...targets: string[]
): Promise<{ ran: number; restored: number }> {
  const { ran, restored } = (await of.built(...targets)).summary;
  return { ran, restored };
}

export async function clean(of: CliProject): Promise<void> {
  await cleanOutputs(of.request());
}

export function objectOf(of: CliProject, content: string, folder = of.path("cache")): string {
  const digest = sha256(content);
  return join(folder, "objects", digest.slice(0, 2), digest.slice(2));
}

/** Sets the times of everything in a store to some days ago. */
export function age(folder: string, days: number): void {
  const then = new Date(Date.now() - days * 86_400_000);
  for (const part of ["objects", "actions"])
    for (const file of filesIn(join(folder, part))) utimesSync(file, then, then);
}

export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
