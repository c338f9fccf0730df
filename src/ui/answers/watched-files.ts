/** The files whose change may make something stale; of very many only the first are watched. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { absolute } from "../../model/paths.ts";
import { STATE_LOG } from "../../model/layout.ts";
import type { Inspection } from "../inspect-project.ts";

/** A look at so many takes about a second. */
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

/** Of a project that is wrong: where the mistake may be. */
export function settingsFiles(root: string): readonly string[] {
  const files = readdirSync(root).filter((name) => /\.ya?ml$/.test(name));
  return [root, join(root, "profiles"), ...files.map((name) => join(root, name))];
}

function* codeFiles({ state }: Inspection["session"]): Generator<{ readonly code: readonly string[] }> {
  for (const { name, json } of state.notes()) if (name.startsWith("code:")) yield { code: pathsIn(json) };
}

/** The files of a module's closure, as src/fingerprint/code.ts remembers them. */
function pathsIn(json: string): readonly string[] {
  const { closure } = JSON.parse(json) as {
    readonly closure?: { readonly files?: readonly { readonly path: string }[] };
  };
  return (closure?.files ?? []).map(({ path }) => path);
}
