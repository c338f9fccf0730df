/**
 * Parses text with `${…}` in it.
 *
 *     expression = head step*        head: an axis of the rule, a param, or (in `cmd`) in, out, scratch
 *     step       = "." key | "[" axis "]" | "[" number "]"
 *
 * `$${` is a literal `${`.
 */
import type { Span } from "../model/errors.ts";
import type { AxisSpec, Json, Rule, Template, TemplatePart, TemplateValue } from "../model/model.ts";
import { child, keysOf } from "../model/json.ts";
import type { Problems } from "./problems.ts";
import { isText, type Text } from "./read.ts";
import { didYouMean, nearest, OTHER_WORDS } from "./suggest.ts";
import { toJson, type Located } from "./yaml.ts";

/** The names that a template may use. */
export interface Scope {
  readonly axes: ReadonlyMap<string, AxisSpec>;
  /** Undefined if the params could not be read. Then references to params are not checked. */
  readonly params: Json | undefined;
  /** Axes of the rule that come after this text, so it must not use them. */
  readonly later?: readonly string[];
  /** Named axes of the file, for a hint if the rule uses one that is not under its `each`. */
  readonly named?: ReadonlyMap<string, unknown>;
  /** The values under the rule's `with:`, in `cmd` only. */
  readonly given?: Rule["with"];
  /** Roles of inputs and outputs, in `cmd` only. */
  readonly roles: {
    readonly in: readonly string[];
    readonly out: readonly string[];
    /** Whether the rule has a scratch folder. */
    readonly scratch: boolean;
  } | null;
}

type Step = { readonly key: string } | { readonly index: string };

const STEP = /\.([\p{L}\p{N}_-]+)|\[([\p{L}\p{N}_-]+)\]/uy;
const HEAD = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const RESERVED: ReadonlySet<string> = new Set(["in", "out", "scratch"]);

export function parseTemplate(node: Text, scope: Scope, problems: Problems): Template {
  const parts: TemplatePart[] = [];
  const text = node.value;
  let literal = "";
  let from = 0;
  for (let nth = 0; ; nth++) {
    const open = text.indexOf("${", from);
    if (open < 0) break;
    if (text[open - 1] === "$" && open > from) {
      literal += text.slice(from, open - 1) + "${";
      from = open + 2;
      continue;
    }
    literal += text.slice(from, open);
    const close = text.indexOf("}", open);
    if (close < 0) {
      problems.add('"${" without its "}"', expressionSpan(node, nth, "${"), "write $${ for a literal ${");
      return { parts: [], span: node.span };
    }
    const span = expressionSpan(node, nth, text.slice(open, close + 1));
    const part = parseExpression(text.slice(open + 2, close), span, scope, problems);
    if (literal !== "") parts.push({ kind: "text", text: literal });
    if (part) parts.push(part);
    literal = "";
    from = close + 1;
  }
  literal += text.slice(from);
  if (literal !== "") parts.push({ kind: "text", text: literal });
  return { parts, span: node.span };
}

/** Parses a param path without `${}` around it, as in `{ keys: generators }`, as a template with one part. */
export function parseParamPath(node: Text, scope: Scope, problems: Problems): Template {
  const part = node.value.includes("${") ? null : parseSteps(node.value);
  if (!part) {
    problems.add(
      `"${node.value}" is not the path of a param`,
      node.span,
      "write it as in datasets[dataset].labels",
    );
    return { parts: [], span: node.span };
  }
  return { parts: [paramPart(part.head, part.steps, node.span, scope, problems)], span: node.span };
}

/** Parses any value. Each text in it may be a template. */
export function parseValue(node: Located, scope: Scope, problems: Problems): TemplateValue {
  if (!hasTemplate(node)) return { kind: "literal", value: toJson(node) };
  if (isText(node)) return { kind: "template", template: parseTemplate(node, scope, problems) };
  if (node.kind === "list") {
    return { kind: "list", items: node.items.map((item) => parseValue(item, scope, problems)) };
  }
  if (node.kind === "scalar") return { kind: "literal", value: node.value };
  const entries = [...node.entries].map(([k, { value }]) => [k, parseValue(value, scope, problems)] as const);
  return { kind: "map", entries: new Map(entries) };
}

function hasTemplate(node: Located): boolean {
  if (node.kind === "scalar") return typeof node.value === "string" && node.value.includes("${");
  if (node.kind === "list") return node.items.some(hasTemplate);
  return [...node.entries.values()].some(({ value }) => hasTemplate(value));
}

function parseExpression(text: string, span: Span, scope: Scope, problems: Problems): TemplatePart | null {
  const parsed = parseSteps(text.trim());
  if (!parsed) {
    const example =
      "an expression is a name with steps, as in ${case}, ${case.image}, ${generators[generator].window}";
    const hint = scope.roles ? `${example}; for a variable of the shell write $\${${text}}` : example;
    problems.add(`"${text}" is not an expression`, span, hint);
    return null;
  }
  const { head, steps } = parsed;
  if (RESERVED.has(head)) return pathPart(head, steps, span, scope, problems);
  const axis = scope.axes.get(head);
  if (!axis)
    return scope.given?.has(head)
      ? withPart(head, steps, span, scope, problems)
      : paramPart(head, steps, span, scope, problems);
  const field = steps.map((step) => ("key" in step ? step.key : step.index));
  if (field.length > 0 && !mayHaveFields(axis)) {
    problems.add(`axis "${head}" has no fields: its values are text`, span);
  }
  return { kind: "axis", name: head, field, span };
}

function pathPart(
  head: string,
  steps: readonly Step[],
  span: Span,
  scope: Scope,
  problems: Problems,
): TemplatePart | null {
  if (!scope.roles) {
    problems.add(`\${${head}} can be used in cmd only`, span);
    return null;
  }
  if (head === "scratch" && steps.length === 0) {
    if (!scope.roles.scratch)
      problems.add(
        "the rule has no scratch folder",
        span,
        'add "resume: true": then the task has a scratch folder until it succeeds',
      );
    return { kind: "scratch", span };
  }
  const [step] = steps;
  if (head === "scratch" || steps.length > 1 || (step && !("key" in step))) {
    problems.add(
      `"${head}" cannot be followed by this`,
      span,
      "write ${in}, ${in.name}, ${out}, ${out.name} or ${scratch}",
    );
    return null;
  }
  const kind = head === "in" ? "in" : "out";
  const roles = scope.roles[kind];
  if (roles.length === 0) problems.add(`the rule has no "${kind}"`, span);
  else if (step && !roles.includes(step.key)) {
    const isUnnamed = roles.length === 1 && roles[0] === kind;
    const hint = isUnnamed
      ? `it has no names: write \${${kind}}, or ${kind}: { ${step.key}: … }`
      : didYouMean(step.key, roles);
    problems.add(`the rule has no "${kind}" named "${step.key}"`, span, hint);
  }
  return { kind, role: step?.key ?? null, span };
}

/** A name under `with:`. A param that has this name and another value is refused: nobody would know which is meant. */
function withPart(
  head: string,
  steps: readonly Step[],
  span: Span,
  scope: Scope,
  problems: Problems,
): TemplatePart {
  const part = paramPart(head, steps, span, { ...scope, params: undefined }, problems);
  if (part.kind !== "param") return part;
  if (child(scope.params ?? null, head) === undefined)
    return { kind: "with", name: head, path: part.path.slice(1), span };
  const value = scope.given?.get(head)?.value;
  const [only, ...rest] = value?.kind === "template" ? value.template.parts : [];
  const isSame =
    rest.length === 0 && only?.kind === "param" && only.path.length === 1 && only.path[0] === head;
  if (!isSame)
    problems.add(
      `"${head}" is a param and also a name under "with", with another value`,
      span,
      'give the name under "with" another name',
    );
  return part;
}

function paramPart(
  head: string,
  steps: readonly Step[],
  span: Span,
  scope: Scope,
  problems: Problems,
): TemplatePart {
  const path: (string | { readonly axis: string })[] = [head];
  for (const step of steps) {
    if ("key" in step || /^\d+$/.test(step.index)) path.push("key" in step ? step.key : step.index);
    else {
      if (!scope.axes.has(step.index)) {
        const hint = didYouMean(step.index, scope.axes.keys());
        problems.add(`[${step.index}] is not an axis of this rule`, span, hint);
      }
      path.push({ axis: step.index });
    }
  }
  checkFixedSteps(path, span, scope, problems);
  return { kind: "param", path, span };
}

/** Checks the path in params up to the first step that depends on an axis. */
function checkFixedSteps(
  path: readonly (string | { readonly axis: string })[],
  span: Span,
  scope: Scope,
  problems: Problems,
): void {
  if (scope.params === undefined) return;
  let value = scope.params;
  let name = "";
  for (const step of path) {
    if (typeof step !== "string") return;
    const isHead = name === "";
    name = isHead ? step : `${name}.${step}`;
    const inside = value;
    const next = child(inside, step);
    if (next !== undefined) {
      value = next;
      continue;
    }
    if (isHead && scope.later?.includes(step)) {
      problems.add(
        `axis "${step}" has no value yet here`,
        span,
        `put "${step}" earlier in "each": its order counts`,
      );
      return;
    }
    if (!isHead) problems.add(`no param "${name}"`, span, didYouMean(step, keysOf(inside)));
    else
      problems.add(`"${name}" is neither an axis of this rule nor a param`, span, unknownHead(step, scope));
    return;
  }
}

function unknownHead(name: string, { axes, params = null, named, roles, given }: Scope): string | undefined {
  if (named?.has(name)) return `add the axis to the rule: each: [${name}]`;
  const known = [...axes.keys(), ...keysOf(params)];
  if (!roles) return didYouMean(name, known);
  const own = OTHER_WORDS.get(name) ?? nearest(name, [...RESERVED, ...(given?.keys() ?? []), ...known]);
  return own === undefined
    ? `for a variable of the shell write $${name} or $\${${name}}`
    : `did you mean "${own}"?`;
}

function parseSteps(text: string): { head: string; steps: Step[] } | null {
  HEAD.lastIndex = 0;
  const head = HEAD.exec(text)?.[0];
  if (head === undefined) return null;
  const steps: Step[] = [];
  for (STEP.lastIndex = head.length; STEP.lastIndex < text.length;) {
    const match = STEP.exec(text);
    if (!match) return null;
    steps.push(match[1] === undefined ? { index: match[2] ?? "" } : { key: match[1] });
  }
  return { head, steps };
}

function mayHaveFields(axis: AxisSpec): boolean {
  return (
    axis.kind === "in" || axis.kind === "items" || (axis.kind === "join" && axis.axes.some(mayHaveFields))
  );
}

/** The place in the file of the nth `${` of a value; the whole value if quoting or folding hides the place. */
function expressionSpan(node: Text, nth: number, expression: string): Span {
  let at = -1;
  for (let i = 0; i <= nth; i++) {
    at = node.raw.indexOf("${", at + 1);
    if (at < 0) return node.span;
  }
  if (!node.raw.startsWith(expression, at)) return node.span;
  const start = node.span.start + at;
  return { file: node.span.file, start, end: start + expression.length };
}
