/** Lists the files whose change may make a task stale. If there are very many, it lists only the first. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { absolute } from "../../model/paths.ts";
import { STATE_LOG } from "../../model/layout.ts";
import type { Inspection } from "../inspect-project.ts";

/** How many files it lists at most. To look at so many files takes about a second. */
const MOST = 100_000;

/** Absolute paths: the pipeline's files, code, records, sources and outputs, with the folders of sources. */
export function watchedFiles({ session, plan, root }: Inspection): readonly string[] {
  const files = new Set([...session.graph.files, STATE_LOG]);
  for (const { rule } of plan.selected.tasks) {
    if (rule.action.kind === "run") files.add(rule.action.module);
    for (const { path } of rule.code) files.add(path);
  }
  for (const task of plan.selected.tasks)
    for (const { path } of session.graph.needs(task).sources) {
      files.add(path);
      if (!path.endsWith("/")) files.add(dirname(path));
    }
  for (const { outputs } of plan.selected.tasks) for (const { path } of outputs) files.add(path);
  for (const { code } of codeFiles(session)) for (const path of code) files.add(path);
  return [...files].slice(0, MOST).map((path) => absolute(root, path));
}

/** For a project with mistakes: the files that may contain them. */
export function settingsFiles(root: string): readonly string[] {
  const files = readdirSync(root).filter((name) => /\.ya?ml$/.test(name));
  return [root, join(root, "profiles"), ...files.map((name) => join(root, name))];
}

function* codeFiles({ state }: Inspection["session"]): Generator<{ readonly code: readonly string[] }> {
  for (const { name, json } of state.notes()) if (name.startsWith("code:")) yield { code: pathsIn(json) };
}

/** The files of a module's closure, in the form that src/fingerprint/code.ts stores. */
function pathsIn(json: string): readonly string[] {
  const { closure } = JSON.parse(json) as {
    readonly closure?: { readonly files?: readonly { readonly path: string }[] };
  };
  return (closure?.files ?? []).map(({ path }) => path);
}
