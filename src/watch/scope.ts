/** Finds the files that a build depends on, so that a change of other files in the project starts no build. */
import { dirname, isAbsolute } from "node:path";
import picomatch from "picomatch";
import { expand } from "../expand/expand.ts";
import { modulePath, splitModule } from "../fingerprint/modules.ts";
import { ancestors } from "../model/paths.ts";
import type { AxisSpec, Pipeline, Template } from "../model/model.ts";

export interface Scope {
  /** Whether a change of the path (relative, or absolute outside the project) can change what a build does. */
  matters(path: string): boolean;
  /** Whether a task writes the path, or a directory that contains it. */
  isOutput(path: string): boolean;
  /** Inputs outside the project, and the folders of task modules that come with lq. */
  readonly outside: readonly string[];
}

/** For a broken pipeline: the change of any file may repair it. */
export const EVERYTHING: Scope = { matters: () => true, isOutput: () => false, outside: [] };

/** Files that a task module or a script can import. */
const CODE = /\.([cm]?[jt]sx?|json|py|[rR]|jl|sh|bash)$/;

/** @throws UserError as `expand` does */
export function scopeOf(pipeline: Pipeline): Scope {
  const graph = expand(pipeline);
  const inputs = new Set(graph.tasks.flatMap((task) => task.inputs.map(({ path }) => path)));
  const files = new Set(graph.files);
  const code = [...pipeline.rules.values()].flatMap((rule) => rule.code.map(({ path }) => path));
  const globs = [...pipeline.rules.values()].flatMap(({ each }) => each.flatMap(({ axis }) => globsOf(axis)));
  const isMatched = globs.length === 0 ? () => false : picomatch(globs);
  return {
    matters: (path) =>
      files.has(path) ||
      CODE.test(path) ||
      inputs.has(path) ||
      code.some((each) => each === path || (each.endsWith("/") && path.startsWith(each))) ||
      [...ancestors(path)].some((directory) => inputs.has(directory)) ||
      isMatched(path) ||
      graph.producer(path) !== undefined,
    isOutput: (path) => graph.producer(path) !== undefined,
    outside: [...[...inputs].filter(isAbsolute), ...ownModules(pipeline)],
  };
}

/** The folders of task modules that come with lq. Usually a module imports files of its own folder only. */
function ownModules({ root, rules }: Pipeline): readonly string[] {
  const folders = [...rules.values()].flatMap(({ action }) =>
    action.kind === "run" && splitModule(action.module).base === "lq"
      ? dirname(modulePath(root, action.module))
      : [],
  );
  return [...new Set(folders)];
}

function globsOf(axis: AxisSpec): readonly string[] {
  switch (axis.kind) {
    case "glob":
      return [looseGlob(axis.pattern)];
    case "join":
      return axis.axes.flatMap(globsOf);
    case "list":
    case "keys":
    case "items":
    case "in":
      return [];
  }
}

/** The template as a glob, in which any text can replace a placeholder. */
function looseGlob({ parts }: Template): string {
  return parts.map((part) => (part.kind === "text" ? part.text : "**")).join("");
}
