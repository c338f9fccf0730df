/** Finds the values of an axis in the pipeline, in the names of files, or in the content of a file. */
import { UserError, type Span } from "../model/errors.ts";
import { AT_STEP } from "../load/axes.ts";
import { child, keysOf } from "../model/json.ts";
import { unsafe } from "../load/safe.ts";
import { didYouMean } from "../load/suggest.ts";
import type { AxisSpec, AxisValue, Json } from "../model/model.ts";
import { numberText, withoutForms } from "./data.ts";
import { bindText, lookUp, type Bound, type Names } from "./bind.ts";
import type { SourceGlobs } from "./glob.ts";

/**
 * The values of an axis that is not read from a file.
 *
 * @throws UserError for values that cannot be used
 */
export function axisValues(
  globs: SourceGlobs,
  spec: AxisSpec,
  names: Names,
  bound: Bound,
): readonly AxisValue[] {
  if (spec.kind === "in") throw new Error("the values of this axis are in a file");
  const values = found(globs, spec, names, bound);
  for (const { text } of values) refuseUnsafe(text, spec.span, "in this axis");
  refuseDuplicates(values, spec.span, "in this axis");
  return values;
}

function found(globs: SourceGlobs, spec: AxisSpec, names: Names, bound: Bound): readonly AxisValue[] {
  switch (spec.kind) {
    case "list":
      return spec.values;
    case "keys":
      return asTexts(paramKeys(spec, names, bound));
    case "items":
      return paramItems(spec, names, bound);
    case "glob":
      return asTexts(globs.values(bindText(spec.pattern, names)(bound), spec.pattern.span));
    case "join":
      return joined(spec.axes.map((axis) => ({ axis, values: found(globs, axis, names, bound) })));
    case "in":
      return [];
  }
}

/** Whether a glob of an axis whose values are known matches nothing. */
export function hasEmptyGlob(globs: SourceGlobs, spec: AxisSpec, names: Names, bound: Bound): boolean {
  if (spec.kind === "join") return spec.axes.some((axis) => hasEmptyGlob(globs, axis, names, bound));
  return spec.kind === "glob" && globs.matchesNothing(bindText(spec.pattern, names)(bound));
}

const asTexts = (texts: readonly string[]): readonly AxisValue[] =>
  texts.map((text) => ({ text, fields: null }));

/** The values of all parts, in order. A value that several globs match counts once. */
function joined(
  parts: readonly { readonly axis: AxisSpec; readonly values: readonly AxisValue[] }[],
): readonly AxisValue[] {
  const matched = new Set<string>();
  return parts.flatMap(({ axis, values }) =>
    axis.kind === "glob" ? values.filter(({ text }) => matched.size < matched.add(text).size) : values,
  );
}

/** Leaves out keys whose value is null, so that a profile can remove a key. */
function paramKeys(spec: Extract<AxisSpec, { kind: "keys" }>, names: Names, bound: Bound): readonly string[] {
  const [part] = spec.path.parts;
  if (part?.kind !== "param") return [];
  const { value, origin } = lookUp(part, names, bound);
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, entry]) => (entry === null ? [] : [key]));
  const message = `param "${origin ?? ""}" is not a map: it has no keys`;
  throw new UserError({ message, span: spec.path.span });
}

function paramItems(
  spec: Extract<AxisSpec, { kind: "items" }>,
  names: Names,
  bound: Bound,
): readonly AxisValue[] {
  const [part] = spec.path.parts;
  if (part?.kind !== "param") return [];
  const { value, origin } = lookUp(part, names, bound);
  const where = `of param "${origin ?? ""}"`;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => element(item, where, spec.span));
  const hint =
    value !== null && typeof value === "object"
      ? `{ keys: ${origin ?? ""} } goes over the keys of a map`
      : "";
  const message = `param "${origin ?? ""}" is not a list: it has no items`;
  throw new UserError({ message, span: spec.path.span, ...(hint && { hint }) });
}

/**
 * The values at a place in a file's content, as in `cases[*].id`. An element is text, a number, or a map with
 * an `id`, whose other entries are the value's fields.
 *
 * @throws UserError that names the file
 */
export function valuesAt(content: Json, at: string, file: string, span: Span): readonly AxisValue[] {
  let found: readonly Json[] = [content];
  let place = "";
  for (AT_STEP.lastIndex = 0; AT_STEP.lastIndex < at.length;) {
    const [step = "", key, index] = AT_STEP.exec(at) ?? [];
    if (step === "") throw new UserError({ message: `"${at}" is not a place in a file`, span });
    found = found.flatMap((value) => {
      if (index === "*") return elements(value, place, file, span);
      const next = child(value, key ?? index ?? "");
      if (next !== undefined) return [next];
      const hint = didYouMean(key ?? "", keysOf(value));
      const message = `${file} has no "${place}${step}", which an axis reads`;
      throw new UserError({ message, span, ...(hint && { hint }) });
    });
    place += step;
  }
  const last = found.length === 1 && !at.endsWith("[*]") ? found[0] : undefined;
  const items = Array.isArray(last) ? (last as readonly Json[]) : found;
  const values = items.map((item) => element(item, `at "${place}" in ${file}`, span));
  refuseDuplicates(values, span, `at "${place}" in ${file}`);
  return values;
}

function elements(value: Json, place: string, file: string, span: Span): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  const message = `${place === "" ? file : `"${place}" in ${file}`}, which an axis reads, is not a list`;
  const hint = /\.[ct]sv$/i.test(file)
    ? "an axis can read JSON and YAML: write a rule that turns the table into JSON"
    : "";
  throw new UserError({ message, span, ...(hint && { hint }) });
}

/** @param where the place of the item, for messages */
function element(item: Json, where: string, span: Span): AxisValue {
  const number = numberText(item);
  const fields =
    number === undefined && item !== null && typeof item === "object" && !Array.isArray(item) ? item : null;
  const id = (fields ? child(fields, "id") : item) ?? null;
  const text = typeof id === "string" ? id : numberText(id);
  if (text === undefined) {
    const message = `an element ${where} is neither text, nor a number, nor a map with an "id"`;
    throw new UserError({ message, span });
  }
  refuseUnsafe(text, span, where);
  return {
    text,
    ...(typeof id === "number" && { typed: id }),
    fields: fields && (withoutForms(fields) as AxisValue["fields"]),
  };
}

function refuseUnsafe(text: string, span: Span, where: string): void {
  const why = unsafe(text);
  if (why === null) return;
  const message = `value ${JSON.stringify(text)} ${where} ${why}: values become parts of paths`;
  throw new UserError({ message, span });
}

function refuseDuplicates(values: readonly AxisValue[], span: Span, where: string): void {
  const seen = new Set<string>();
  for (const { text } of values) {
    if (seen.has(text)) throw new UserError({ message: `value "${text}" is twice ${where}`, span });
    seen.add(text);
  }
}
