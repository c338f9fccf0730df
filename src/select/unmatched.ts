/** What to say of targets that nothing can make. */
import { UserError, type Diagnostic } from "../errors.ts";
import { globsIn } from "../expand/glob.ts";
import type { Graph } from "../expand/graph.ts";
import type { Rule, Template } from "../model.ts";
import { suggest } from "./select.ts";

export function unmatchedError(graph: Graph, targets: readonly string[]): UserError {
  return new UserError(
    targets.map((target) => {
      const rule = graph.pipeline.rules.get(target);
      if (rule) return noTasks(rule);
      const near = suggest(graph, target);
      return {
        message: `nothing makes "${target}"`,
        ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
      };
    }),
  );
}

function noTasks(rule: Rule): Diagnostic {
  const globs = rule.each.flatMap(({ axis }) => globsIn(axis)).map(textOf);
  const hint =
    globs.length > 0
      ? `there is no file ${globs.join(" or ")}`
      : "its axes have no values, or its `when` is never true";
  return { message: `rule "${rule.name}" has no tasks`, span: rule.span, hint };
}

const textOf = ({ parts }: Template) =>
  parts.map((part) => (part.kind === "text" ? part.text : "…")).join("");
