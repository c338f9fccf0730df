/** Warns of files that a task seems to use and that its rule does not declare. An edit of them would change nothing. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Rule, Task, Template } from "../model/model.ts";
import { isCached, type Plan } from "./plan.ts";
import type { Session } from "../session/session.ts";

/** Looks only at tasks that are not fresh: at files that their commands name, and at code that lq cannot follow. */
export function undeclaredWarnings(session: Session, plan: Plan): readonly string[] {
  const due = [...plan.selected.tasks].filter((task) => !isCached(plan, task));
  const first = new Map<Rule, Task>();
  for (const task of due) if (!first.has(task.rule)) first.set(task.rule, task);
  return [...first.values()].flatMap((task) => [
    ...undeclaredFiles(session.root, task),
    ...unfollowedCode(task.rule, session.ruleCode.unfollowed(task.rule)),
  ]);
}

/** Files of the project that a command names and its rule does not declare. */
function undeclaredFiles(root: string, task: Task): readonly string[] {
  const { action, rule } = task;
  if (action.kind !== "cmd") return [];
  const declared = [...task.inputs, ...task.outputs, ...rule.code].map(({ path }) => path);
  const isDeclared = (path: string): boolean =>
    declared.some((each) => each === path || (each.endsWith("/") && path.startsWith(each)));
  const files = wordsOf(action.command)
    .map((word) => word.replace(/^(?:\.\/)+/, ""))
    .filter((path) => isProjectFile(root, path) && !isDeclared(path));
  return [...new Set(files)].map((path) => {
    const use = `the command of rule "${rule.name}" uses ${path}`;
    if (/(^|\/)bin\/activate$/.test(path))
      return `${use}: write environment: { venv: ${path.replace(/\/?bin\/activate$/, "")} } instead`;
    const isCode = /\.(py|R|r|jl|sh|bash|pl|m|js|mjs|cjs|ts)$/.test(path);
    const code = rule.code.map((each) => each.path);
    const line = isCode
      ? `code: ${listText([...code, path])}`
      : `it to in:, or the values that it reads to with:`;
    return `${use}, but an edit of it changes nothing: add ${line}`;
  });
}

function unfollowedCode(
  rule: Rule,
  unknown: readonly { readonly file: string; readonly line: number; readonly what: string }[],
): readonly string[] {
  // A rule that declares more than one code file names the code that lq cannot find, so do not warn.
  const [first] = unknown;
  if (first === undefined || rule.code.length > 1 || rule.code.some(({ path }) => path.endsWith("/")))
    return [];
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more such places)` : "";
  const script = rule.action.kind === "script" ? [] : rule.code.map(({ path }) => path);
  return [
    `not all code of rule "${rule.name}" can be followed: ${first.file}:${first.line}: ${first.what}${more}; ` +
      `name what it loads: code: ${listText([...script, "FOLDER/"])}`,
  ];
}

function listText(paths: readonly string[]): string {
  return paths.length === 1 ? (paths[0] ?? "") : `[${paths.join(", ")}]`;
}

/** Splits a command into words, roughly as a shell does. For `-m a.b` it adds the files of that module. */
function wordsOf(command: Template | readonly Template[]): readonly string[] {
  const texts = "parts" in command ? [command] : command;
  // Mark placeholders with \0: a word that contains one is not known yet and is dropped.
  const lines = texts.map(({ parts }) =>
    parts.map((part) => (part.kind === "text" ? part.text : "\0")).join(""),
  );
  return lines.flatMap((line) => {
    const modules = [...line.matchAll(/(?:^|\s)-m\s+([A-Za-z_][\w.]*)/g)].flatMap(([, name = ""]) => {
      const path = name.replaceAll(".", "/");
      return [`${path}.py`, `${path}/__main__.py`];
    });
    // A file that the command redirects its output to is not read.
    const words = line
      .replace(/>{1,2}\s*[^\s'"`;|&<>()]+/g, " ")
      .split(/[\s'"`=;|&<>()]+/)
      .filter((word) => word !== "" && !word.includes("\0"));
    return [...words, ...modules];
  });
}

function isProjectFile(root: string, path: string): boolean {
  if (/^(\/|-|~|cache\/)|(^|\/)\.\.(\/|$)|[*?$]/.test(path)) return false;
  try {
    return statSync(join(root, path)).isFile();
  } catch {
    return false;
  }
}
