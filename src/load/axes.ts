/** Reads axes: a list, `{ keys }`, `{ items }`, `{ glob }`, `{ in, at }`, or a list with such maps among its items. */
import type { Span } from "../model/errors.ts";
import type { AxisSpec, AxisValue } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { describe, readText, refuseUnknownKeys } from "./read.ts";
import { unsafe } from "./safe.ts";
import { parseParamPath, parseTemplate, type Scope } from "./template.ts";
import type { Located, LocatedList, LocatedMap } from "./yaml.ts";

export const AXIS_KEYS = ["keys", "items", "glob", "in", "at"] as const;

export function parseAxis(node: Located, scope: Scope, problems: Problems): AxisSpec {
  if (node.kind === "list") return parseList(node, scope, problems);
  if (node.kind === "map") return parseMap(node, scope, problems);
  const hint = "write a list, { keys: … }, { items: … }, { glob: … } or { in: …, at: … }";
  problems.add(`an axis must be a list or a map, not ${describe(node)}`, node.span, hint);
  return empty(node.span);
}

function parseList(node: LocatedList, scope: Scope, problems: Problems): AxisSpec {
  if (node.items.length === 0) problems.add("an axis needs at least one value", node.span);
  const axes: AxisSpec[] = [];
  const seen = new Set<string>();
  let values: AxisValue[] = [];
  for (const item of node.items) {
    if (item.kind !== "scalar") {
      if (values.length > 0) axes.push({ kind: "list", values, span: node.span });
      values = [];
      axes.push(parseAxis(item, scope, problems));
      continue;
    }
    if (item.value === null) problems.add("an axis value must be text or a number, not nothing", item.span);
    const value = typeof item.value === "number" ? item.raw : String(item.value);
    if (seen.has(value)) problems.add(`value "${value}" is in this axis twice`, item.span);
    const why = unsafe(value);
    if (why !== null) problems.add(`value "${value}" ${why}: values become parts of paths`, item.span);
    seen.add(value);
    values.push(typedValue(value, item.value));
  }
  if (axes.length === 0) return { kind: "list", values, span: node.span };
  if (values.length > 0) axes.push({ kind: "list", values, span: node.span });
  if (axes.some((axis) => axis.kind === "in")) {
    problems.add("an axis read from a file cannot be an item of a list", node.span);
  }
  return { kind: "join", axes, span: node.span };
}

function parseMap(node: LocatedMap, scope: Scope, problems: Problems): AxisSpec {
  refuseUnknownKeys(node, AXIS_KEYS, "an axis", problems);
  const get = (key: string) => {
    const entry = node.entries.get(key);
    return entry ? readText(entry.value, `"${key}"`, problems) : null;
  };
  const kinds = ["keys", "items", "glob", "in"].filter((kind) => node.entries.has(kind));
  const { span } = node;
  if (kinds.length !== 1) {
    problems.add('an axis needs exactly one of "keys", "items", "glob" and "in"', span);
    return empty(span);
  }
  if (kinds[0] !== "in" && node.entries.has("at")) problems.add('"at" goes with "in" only', span);
  const [keys, items, glob, file, at] = AXIS_KEYS.map(get);
  if (keys) return { kind: "keys", path: parseParamPath(keys, scope, problems), span };
  if (items) return { kind: "items", path: parseParamPath(items, scope, problems), span };
  if (glob) return { kind: "glob", pattern: parseTemplate(glob, scope, problems), span };
  if (file && at) {
    const where = parseTemplate(at, scope, problems);
    checkAt(at.value, at.span, problems);
    return { kind: "in", file: parseTemplate(file, scope, problems), at: where, span };
  }
  if (file)
    problems.add('an axis read "in" a file needs "at"', span, "say where in the file, as in cases[*].id");
  return empty(span);
}

/** A number that is written in another form, such as 1.10 or 0x10, is the text that is written. */
function typedValue(text: string, value: string | number | boolean | null): AxisValue {
  const typed =
    typeof value === "boolean" || (typeof value === "number" && String(value) === text) ? value : undefined;
  return { text, ...(typed !== undefined && { typed }), fields: null };
}

/** Steps of `at`, as in `cases[*].id`. */
export const AT_STEP = /(?:^|\.)([^.[\]]+)|\[(\*|\d+)\]/y;

function checkAt(text: string, span: Span, problems: Problems): void {
  const plain = text.replace(/\$\{[^}]*\}/g, "x").replace(/\[x\]/g, "[0]");
  for (AT_STEP.lastIndex = 0; AT_STEP.lastIndex < plain.length;) {
    if (AT_STEP.exec(plain)) continue;
    problems.add(`"${text}" is not a place in a file`, span, "write it as in cases[*].id or folds[0].val");
    return;
  }
  if (text === "") problems.add('"at" is empty', span, "write it as in cases[*].id");
}

function empty(span: Span): AxisSpec {
  return { kind: "list", values: [], span };
}
