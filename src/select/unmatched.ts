/** Makes the error for targets that nothing can make. */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { UserError, type Diagnostic } from "../model/errors.ts";
import type { Graph } from "../expand/graph.ts";
import { rulesWithoutTasks, whyNoTasks, wouldMake } from "../expand/no-tasks.ts";
import type { Target } from "../model/model.ts";
import { meant } from "../load/suggest.ts";
import { suggest } from "./select.ts";

/** @param cwd the folder that the targets are relative to, relative to the project */
export function unmatchedError(graph: Graph, targets: readonly Target[], cwd: string): UserError {
  return new UserError(targets.map((target) => unmatched(graph, target, target.span ? "" : cwd)));
}

function unmatched(graph: Graph, { text, span }: Target, cwd: string): Diagnostic {
  const { root, rules } = graph.pipeline;
  const rule = rules.get(text);
  if (rule) return { message: `rule "${text}" has no tasks`, span: rule.span, hint: whyNoTasks(rule) };
  const path = relative(root, resolve(root, cwd, text)) + (text.endsWith("/") ? "/" : "");
  const near = suggest(graph, text, cwd);
  const isSource = existsSync(resolve(root, path));
  const hint =
    wouldMake(rulesWithoutTasks(graph), path) ??
    (isSource ? "it is a source: rules read it, and none makes it" : near && meant(text, near));
  return { message: `nothing makes "${text}"`, ...(span && { span }), ...(hint && { hint }) };
}
