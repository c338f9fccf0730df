/** Files of builds are named by the build's number: 000012.jsonl. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EVENTS, HISTORY } from "../model/layout.ts";

export function buildFile(build: number): string {
  return `${String(build).padStart(6, "0")}.jsonl`;
}

/** The builds among the names in a folder, oldest first. */
export function numberedFiles(names: readonly string[]): number[] {
  return names
    .flatMap((name) => /^(\d{6,})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Numbers of the builds of which a folder has files, oldest first. */
export function buildNumbers(folder: string): number[] {
  // With the dot, a file of that name is no folder.
  return existsSync(`${folder}/.`) ? numberedFiles(readdirSync(folder)) : [];
}

/**
 * The number of a build that begins, found when it is first asked for. It is that of no file of an earlier build,
 * also of one that was killed before it wrote its history.
 */
export function nextBuildNumber(root: string): () => number {
  let number: number | undefined;
  return () => {
    const known = [HISTORY, EVENTS].flatMap((folder) => buildNumbers(join(root, folder)).at(-1) ?? 0);
    return (number ??= Math.max(...known) + 1);
  };
}
