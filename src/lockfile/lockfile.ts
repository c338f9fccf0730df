/**
 * lq.lock tells git which outputs the rules with `lock: true` have at a commit. It has one line for each task, sorted
 * by id:
 *
 *     TASK KEY DIGEST
 *
 * KEY finds the action in a cache. DIGEST is the digest of the outputs. Empty lines separate the lines, so that git can
 * merge changes in neighbouring lines. Two branches conflict if both rebuilt one task. An id with control characters,
 * or with a quote at its start, is written as a JSON string.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Diagnostic, UserError } from "../model/errors.ts";
import type { Pipeline, Rule } from "../model/model.ts";
import { sha256 } from "../system/digest.ts";
import { replaceFile } from "../files/replace-file.ts";

export const LOCK_FILE = "lq.lock";

export interface LockedTask {
  readonly key: string;
  readonly digest: string;
}

const SETTLE =
  "remove git's markers and keep either line of a task that has two; then `lq build` writes the right line";
const REMOVE = "remove it; `lq build` writes the right line";
const LINE = /^(.+) ([0-9a-f]{64}) ([0-9a-f]{64})$/;

/** Rules that have lines in lq.lock. */
export function lockedRules({ rules }: Pipeline): ReadonlyMap<string, Rule> {
  return new Map([...rules].filter(([, rule]) => rule.lock));
}

/**
 * The lines of the file by task id; empty if there is no file. @throws UserError with the lines that lq did not write
 */
export function readLockFile(root: string): ReadonlyMap<string, LockedTask> {
  const file = join(root, LOCK_FILE);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return new Map<string, LockedTask>();
  if (!stats.isFile()) throw new UserError({ message: `${LOCK_FILE} is not a file`, hint: "move it away" });
  return parseLock(readFileSync(file, "utf8"));
}

/** Writes the file if it changes. Without tasks, lq does not create one. */
export function writeLockFile(root: string, tasks: ReadonlyMap<string, LockedTask>): void {
  const file = join(root, LOCK_FILE);
  const text = formatLock(tasks);
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  // git decides about the line endings.
  if (text === before.replaceAll("\r\n", "\n")) return;
  replaceFile(file, text);
}

/** @param file name of the text's file, for errors */
export function parseLock(text: string, file = LOCK_FILE): ReadonlyMap<string, LockedTask> {
  const tasks = new Map<string, LockedTask>();
  const problems: Diagnostic[] = [];
  let inConflict = false;
  let start = 0;
  for (const whole of text.split("\n")) {
    const line = whole.replace(/\r$/, "");
    const span = { file, start, end: start + line.length };
    start += whole.length + 1;
    if (line.trim() === "") continue;
    const [, name = "", key = "", digest = ""] = LINE.exec(line) ?? [];
    const id = name.startsWith('"') ? jsonText(name) : name;
    if (id === "") {
      const isMarker = /^([<=>|])\1{6}/.test(line);
      if (!isMarker) problems.push({ message: "not a line of lq's", span, hint: REMOVE });
      else if (!inConflict) problems.push({ message: "a merge conflict", span, hint: SETTLE });
      if (isMarker) inConflict = !line.startsWith(">");
      continue;
    }
    const other = tasks.get(id);
    if (other !== undefined && other.key + other.digest !== key + digest)
      problems.push({ message: `a second line for ${id}: both branches rebuilt it`, span, hint: SETTLE });
    tasks.set(id, { key, digest });
  }
  if (problems.length > 0) throw new UserError(problems);
  return tasks;
}

function formatLock(tasks: ReadonlyMap<string, LockedTask>): string {
  return [...tasks]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, task]) => lineOf(id, task))
    .join("\n");
}

export function lineOf(id: string, { key, digest }: LockedTask): string {
  return `${/[\0-\x1f]|^"/.test(id) ? JSON.stringify(id) : id} ${key} ${digest}\n`;
}

/** One digest for all outputs of a task, in order. */
export function digestOfOutputs(outputs: readonly { readonly digest: string }[]): string {
  const [one, ...others] = outputs;
  if (one !== undefined && others.length === 0) return one.digest;
  return sha256(outputs.map(({ digest }) => `${digest}\n`).join(""));
}

function jsonText(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : "";
  } catch {
    return "";
  }
}
