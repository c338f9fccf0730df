/** Rules without tasks. Usually a pattern is mistyped, and then other tasks lack the outputs of the rule. */
import type { Rule, Template } from "../model/model.ts";
import { globsIn } from "./glob.ts";
import type { TaskGraph } from "./task-graph.ts";

/** Why a rule has no tasks, as far as its declaration shows. */
export function whyNoTasks({ each }: Rule): string {
  const globs = each.flatMap(({ axis }) => globsIn(axis)).map(textOf);
  if (globs.length > 0) return `there is no file ${globs.join(" or ")}`;
  return "its axes have no values, or its `when` is never true";
}

/** Rules that have no tasks now and cannot get any. */
export function rulesWithoutTasks({ pipeline, tasks, expansions }: TaskGraph): readonly Rule[] {
  const alive = new Set([...tasks, ...expansions].map(({ rule }) => rule.name));
  return [...pipeline.rules.values()].filter(({ name }) => !alive.has(name));
}

/** A hint that names one of these rules if its outputs match the path or, for a folder, may lie in it. */
export function wouldMake(rules: readonly Rule[], path: string): string | undefined {
  const rule = rules.find(({ outputs }) =>
    outputs.some(({ paths }) => paths.some((template) => mayBe(template, path))),
  );
  return rule && `rule "${rule.name}" would make it, but has no tasks: ${whyNoTasks(rule)}`;
}

function mayBe(template: Template, path: string): boolean {
  const text = textOf(template);
  const [before = "", after = ""] = [text.split("…")[0], text.split("…").at(-1)];
  const isFolder = path.endsWith("/");
  if (isFolder && before.startsWith(path)) return true;
  return path.startsWith(before) && (isFolder || text.endsWith("/") || path.endsWith(after));
}

const textOf = ({ parts }: Template) =>
  parts.map((part) => (part.kind === "text" ? part.text : "…")).join("");
