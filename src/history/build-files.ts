/** Finds the files of builds, which are named by the build's number: 000012.jsonl. */
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

/** Numbers of the builds that have a file in a folder, oldest first. */
export function buildNumbers(folder: string): number[] {
  // The dot makes this false for a file with the folder's name.
  return existsSync(`${folder}/.`) ? numberedFiles(readdirSync(folder)) : [];
}

/**
 * Gives the number of a new build, and finds it at the first call. No file of an earlier build has this number, even if
 * that build was killed before it wrote its history.
 */
export function nextBuildNumber(root: string): () => number {
  let number: number | undefined;
  return () => {
    const known = [HISTORY, EVENTS].flatMap((folder) => buildNumbers(join(root, folder)).at(-1) ?? 0);
    return (number ??= Math.max(...known) + 1);
  };
}
