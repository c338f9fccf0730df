/**
 * Fills the templates of a rule with the values of its axes.
 *
 * lq compiles each template once per rule. Then a task costs one string concatenation, or nothing if the template
 * names no axis.
 */
import { UserError, type Span } from "../model/errors.ts";
import { child, keysOf } from "../model/json.ts";
import { unsafe } from "../load/safe.ts";
import { didYouMean } from "../load/suggest.ts";
import type {
  AxisValue,
  CommandParam,
  Json,
  TaskParam,
  Template,
  TemplatePart,
  TemplateValue,
} from "../model/model.ts";

/** Values of the axes bound so far, in the order of `each`. */
export type Bound = readonly AxisValue[];
export type Bind<T> = (bound: Bound) => T;

/** The names that a template may use. */
export interface Names {
  readonly axes: readonly string[];
  readonly params: Json;
  /** The values of `with:`, in a command only. */
  readonly given?: ReadonlyMap<string, Bind<TaskParam>>;
}

type Filled = Extract<TemplatePart, { kind: "axis" | "param" | "with" }>;

/** The template as text. `write` turns a value into text. The template must not contain `in`, `out` or `scratch`. */
export function bindText(template: Template, names: Names, write: Write = plainText): Bind<string> {
  const parts = template.parts.map((part) => bindPart(part, names, write));
  const [only] = parts;
  if (parts.length === 1 && only) return memo(only, usesAxis(template));
  const join = (bound: Bound) => {
    let text = "";
    for (const part of parts) text += part(bound);
    return text;
  };
  return memo(join, usesAxis(template));
}

/** The path of a template; a list of paths if the template names an axis field or a param that is a list. */
export function bindPaths(template: Template, names: Names): Bind<string | readonly string[]> {
  const mayBeList = (part: TemplatePart) =>
    part.kind === "param" || (part.kind === "axis" && part.field.length > 0);
  if (!template.parts.some(mayBeList)) return bindText(template, names, pathText);
  const parts = template.parts.map((part) => {
    if (!isFilled(part) || !mayBeList(part)) return bindPart(part, names, pathText);
    return (bound: Bound) => {
      const { value } = lookUp(part, names, bound);
      const text = (each: Json) => pathText(each, part.span, part.kind === "axis");
      return Array.isArray(value) ? (value as readonly Json[]).map(text) : text(value);
    };
  });
  return (bound) => {
    let paths: string | readonly string[] = "";
    for (const part of parts) paths = combine(paths, part(bound));
    return paths;
  };
}

function combine(
  heads: string | readonly string[],
  tails: string | readonly string[],
): string | readonly string[] {
  if (typeof heads === "string" && typeof tails === "string") return heads + tails;
  const [before, after] = [[heads].flat(), [tails].flat()];
  return before.flatMap((head) => after.map((tail) => head + tail));
}

/** A command. `in`, `out` and `scratch` stay in it until it runs. */
export function bindCommand(template: Template, names: Names, write: Write): Bind<Template> {
  if (!usesParamOrAxis(template)) return () => template;
  const parts = template.parts.map((part): TemplatePart | Bind<TemplatePart> => {
    if (!isFilled(part)) return part;
    const text = bindPart(part, names, write);
    if (part.kind === "axis" && part.field.length === 0)
      return (bound) => ({ kind: "text", text: text(bound) });
    return (bound) => ({ kind: "text", text: text(bound), param: commandParam(part, names, bound) });
  });
  const fill = (bound: Bound): Template => ({
    parts: parts.map((part) => (typeof part === "function" ? part(bound) : part)),
    span: template.span,
  });
  return memo(fill, usesAxis(template) || template.parts.some(({ kind }) => kind === "with"));
}

function commandParam(part: Filled, names: Names, bound: Bound): CommandParam {
  const { value, origin } = lookUp(part, names, bound);
  const name =
    part.kind === "axis" ? [part.name, ...part.field].join(".") : part.kind === "with" ? part.name : "";
  return { path: origin ?? name, value };
}

/** A value of `with:`. A text that is only one `${…}` keeps the type of its value. */
export function bindValue(value: TemplateValue, names: Names): Bind<TaskParam> {
  const json = bindJson(value, names);
  const fill = (bound: Bound): TaskParam => json(bound);
  return memo(fill, valueUsesAxis(value));
}

function bindJson(value: TemplateValue, names: Names): Bind<TaskParam> {
  switch (value.kind) {
    case "literal": {
      const literal = { value: value.value, origin: null };
      return () => literal;
    }
    case "template": {
      const [only, ...rest] = value.template.parts;
      if (only && rest.length === 0 && isFilled(only)) return (bound) => lookUp(only, names, bound);
      const text = bindText(value.template, names);
      return (bound) => ({ value: text(bound), origin: null });
    }
    case "list": {
      const items = value.items.map((item) => bindJson(item, names));
      return (bound) => ({ value: items.map((item) => item(bound).value), origin: null });
    }
    case "map": {
      const entries = [...value.entries].map(([key, inner]) => [key, bindJson(inner, names)] as const);
      return (bound) => ({
        value: Object.fromEntries(entries.map(([key, inner]) => [key, inner(bound).value])),
        origin: null,
      });
    }
  }
}

/** Turns a value into text, for a path, for a command or for other use. */
export type Write = (value: Json, span: Span, fromAxis: boolean) => string;

export const plainText: Write = (value, span) => {
  if (value === null || typeof value !== "object") return String(value);
  const what = Array.isArray(value) ? "a list" : "a map";
  throw new UserError({ message: `${what} cannot be part of a text`, span, hint: "name one value in it" });
};

export const pathText: Write = (value, span, fromAxis) => {
  const text = plainText(value, span, fromAxis);
  // A field may name a folder and end with "/".
  const why = fromAxis
    ? unsafe(text.replace(/(.)\/$/, "$1"))
    : text.includes("\0")
      ? "has a NUL character in it"
      : null;
  if (why !== null)
    throw new UserError({ message: `${JSON.stringify(text)} cannot be part of a path: it ${why}`, span });
  return text;
};

/** Whether a condition holds: `A == B`, `A != B`, or a template whose text is not empty, false, 0 or null. */
export function bindCondition(template: Template, names: Names): Bind<boolean> {
  const write: Write = (value) => (value !== null && typeof value === "object" ? "true" : String(value));
  for (const [i, part] of template.parts.entries()) {
    const operator = part.kind === "text" ? /[!=]=/.exec(part.text) : null;
    if (part.kind !== "text" || !operator) continue;
    const { span, parts } = template;
    const before: TemplatePart = { kind: "text", text: part.text.slice(0, operator.index) };
    const after: TemplatePart = { kind: "text", text: part.text.slice(operator.index + 2) };
    const left = bindText({ parts: [...parts.slice(0, i), before], span }, names, write);
    const right = bindText({ parts: [after, ...parts.slice(i + 1)], span }, names, write);
    const equal = operator[0] === "==";
    return (bound) => (left(bound).trim() === right(bound).trim()) === equal;
  }
  const text = bindText(template, names, write);
  return (bound) => !["", "false", "0", "null"].includes(text(bound).trim());
}

/** How many axes must be bound before the template can be bound: up to the last axis that it names. */
export function axesNeeded(template: Template, axes: readonly string[]): number {
  return Math.max(0, ...template.parts.flatMap(axesOf).map((name) => axes.indexOf(name) + 1));
}

/** The value that an axis or param expression names, and its path when it is a param. */
export function lookUp(part: Filled, { axes, params, given }: Names, bound: Bound): TaskParam {
  if (part.kind === "axis")
    return { value: axisField(part, boundValue(bound, axes, part.name)), origin: null };
  const own = part.kind === "with" ? given?.get(part.name)?.(bound) : undefined;
  if (own !== undefined && part.path.length === 0) return own;
  const path = part.kind === "with" ? [own?.origin ?? part.name] : [];
  let value = own === undefined ? params : own.value;
  for (const step of part.path) {
    const key = typeof step === "string" ? step : boundValue(bound, axes, step.axis).text;
    path.push(key);
    const next = child(value, key);
    if (next === undefined) {
      const hint = didYouMean(key, keysOf(value));
      throw new UserError({
        message: `no param "${path.join(".")}"`,
        span: part.span,
        ...(hint && { hint }),
      });
    }
    value = next;
  }
  return { value, origin: path.join(".") };
}

function axisField(part: Extract<Filled, { kind: "axis" }>, { text, typed, fields }: AxisValue): Json {
  if (part.field.length === 0) return typed ?? text;
  let value: Json = fields ?? {};
  for (const key of part.field) {
    const next = child(value, key);
    if (next === undefined) {
      const name = [part.name, ...part.field].join(".");
      const hint = fields
        ? didYouMean(key, keysOf(value))
        : `its values are texts without fields: let the axis read maps, as in at: "cases[*]" instead of "cases[*].id"`;
      const message = `no field "${name}" in the value "${text}"`;
      throw new UserError({ message, span: part.span, ...(hint && { hint }) });
    }
    value = next;
  }
  return value;
}

function boundValue(bound: Bound, axes: readonly string[], name: string): AxisValue {
  const value = bound[axes.indexOf(name)];
  if (!value) throw new Error(`axis "${name}" is not bound`);
  return value;
}

function bindPart(part: TemplatePart, names: Names, write: Write): Bind<string> {
  if (part.kind === "text") return () => part.text;
  if (!isFilled(part)) throw new Error(`\${${part.kind}} outside a command`);
  if (part.kind === "axis" && part.field.length === 0 && (write === plainText || write === pathText)) {
    // The common case is fast: lq checked the axis values when it made them.
    const index = names.axes.indexOf(part.name);
    return (bound) => bound[index]?.text ?? boundValue(bound, names.axes, part.name).text;
  }
  return (bound) => write(lookUp(part, names, bound).value, part.span, part.kind === "axis");
}

/** Computes a value once if it depends on no axis. */
function memo<T>(bind: Bind<T>, depends: boolean): Bind<T> {
  if (depends) return bind;
  let known: { readonly value: T } | undefined;
  return (bound) => (known ??= { value: bind(bound) }).value;
}

function isFilled(part: TemplatePart): part is Filled {
  return part.kind === "axis" || part.kind === "param" || part.kind === "with";
}

function axesOf(part: TemplatePart): string[] {
  if (part.kind === "axis") return [part.name];
  return part.kind === "param" || part.kind === "with"
    ? part.path.flatMap((step) => (typeof step === "string" ? [] : [step.axis]))
    : [];
}

export function usesAxis(template: Template): boolean {
  return template.parts.some((part) => axesOf(part).length > 0);
}

function usesParamOrAxis(template: Template): boolean {
  return template.parts.some(isFilled);
}

export function valueUsesAxis(value: TemplateValue): boolean {
  if (value.kind === "template") return usesAxis(value.template);
  if (value.kind === "list") return value.items.some(valueUsesAxis);
  return value.kind === "map" && [...value.entries.values()].some(valueUsesAxis);
}
