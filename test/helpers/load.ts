/** Loads and expands projects, for tests of load, expand and select. */
import { UserError } from "../../src/model/errors.ts";
import { expand } from "../../src/expand/expand.ts";
import type { Graph } from "../../src/expand/graph.ts";
import { loadPipeline } from "../../src/load/load.ts";
import { renderDiagnostics } from "../../src/load/render.ts";
import type { Pipeline } from "../../src/model/model.ts";
import { testFolder } from "../helpers/folder.ts";

export function load(dir: string, set: readonly string[] = [], profiles: readonly string[] = []): Pipeline {
  return loadPipeline({ dir, profiles, set });
}

export function graphOf(files: { readonly [path: string]: string }): Graph {
  return expand(load(testFolder(files)));
}

/** The error that a user sees when loading, expanding or checking a project fails; "" if nothing fails. */
export function complaint(
  dir: string,
  set: readonly string[] = [],
  profiles: readonly string[] = [],
): string {
  return rendered(dir, () => {
    expand(load(dir, set, profiles)).check();
  });
}

function rendered(root: string, act: () => void): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return renderDiagnostics(error.diagnostics, { root, color: false });
  }
  return "";
}
