/** Reads one rule of pipeline.yaml. */
import type { AxisSpec, Declaration, Pipeline, Rule, Template, TemplateValue } from "../model/model.ts";
import type { Span } from "../model/errors.ts";
import { parseAction } from "./actions.ts";
import { parseAxis } from "./axes.ts";
import { parseEnvironment } from "./environment.ts";
import type { Problems } from "./problems.ts";
import {
  checkName,
  describe,
  isText,
  readBoolean,
  readCount,
  readMap,
  readText,
  readTexts,
  refuseUnknownKeys,
} from "./read.ts";
import { DEFAULT_SLOTS, parseDuration, parseSlots } from "./slots.ts";
import { parseRuleSlurm } from "./slurm.ts";
import { didYouMean } from "./suggest.ts";
import { parseTemplate, parseValue, type Scope } from "./template.ts";
import type { Located, LocatedMap } from "./yaml.ts";

export const RULE_KEYS = [
  "each",
  "when",
  "run",
  "cmd",
  "script",
  "code",
  "packages",
  "environment",
  "in",
  "out",
  "with",
  "env",
  "tools",
  "slots",
  "slurm",
  "resume",
  "shape",
  "grace",
  "lock",
  "retries",
  "oom",
  "timeout",
] as const;

/** Seconds. Slurm and Kubernetes wait this long between the signal and the kill. */
const DEFAULT_GRACE = 30;

/**
 * @param axes the named axes of the file, not parsed yet, because the rule decides which axes they may refer to
 * @param outer the settings at the top of the file
 */
export function parseRule(
  name: string,
  key: Span,
  node: Located,
  axes: ReadonlyMap<string, Located>,
  params: Scope["params"],
  outer: Pick<Rule, "environment"> & Pick<Pipeline, "slurm">,
  problems: Problems,
): Rule | null {
  checkName(name, "rule", key, problems);
  const map = readMap(node, `rule "${name}"`, problems);
  if (!map) return null;
  refuseUnknownKeys(map, RULE_KEYS, `rule "${name}"`, problems);
  const get = (key: (typeof RULE_KEYS)[number]): Located | undefined => map.entries.get(key)?.value;

  const each = parseEach(get("each"), axes, params, problems);
  const bound = new Map(each.map(({ name, axis }) => [name, axis]));
  const scope: Scope = { axes: bound, params, named: axes, roles: null };
  const inputs = parseDeclarations("in", get("in"), scope, problems);
  const outputs = parseDeclarations("out", get("out"), scope, problems);
  if (!get("out")) problems.add(`rule "${name}" has no "out"`, key, "say which files it makes");
  const [when, resume, grace] = [get("when"), get("resume"), get("grace")];
  const [retries, timeout, oom] = [get("retries"), get("timeout"), get("oom")];
  const lock = get("lock");
  const [env, tools, slots] = [get("env"), get("tools"), get("slots")];
  const resumes = resume ? readBoolean(resume, '"resume"', problems) : false;
  const roles = {
    in: inputs.map(({ role }) => role),
    out: outputs.map(({ role }) => role),
    scratch: resumes,
  };
  if (grace && !resumes)
    problems.add(
      '"grace" needs "resume: true": it is the time that a task has to save its state',
      grace.span,
    );
  const given = parseWith(get("with"), scope, problems);
  return {
    name,
    span: key,
    each,
    ...parseAction(name, key, map, { ...scope, roles, given }, problems),
    environment: parseEnvironment(get("environment"), outer.environment, problems),
    inputs,
    outputs,
    with: given,
    env: env ? parseEnv(env, scope, problems) : new Map<string, Template | null>(),
    tools: tools ? readTexts(tools, "a tool", problems).map(({ value }) => value) : [],
    slots: slots ? parseSlots(slots, problems) : DEFAULT_SLOTS,
    slurm: parseRuleSlurm(get("slurm"), outer.slurm, scope, problems),
    when: when ? parseWhen(when, scope, problems) : null,
    resume: resumes,
    shape: parseShape(name, map, problems),
    grace: grace ? parseDuration(grace, '"grace"', problems) : DEFAULT_GRACE,
    lock: lock ? readBoolean(lock, '"lock"', problems) : false,
    retries: retries ? readCount(retries, '"retries"', 0, problems) : 0,
    oom: oom ? parsePattern(oom, problems) : null,
    timeout: timeout ? parseDuration(timeout, '"timeout"', problems) : null,
  };
}

/**
 * Refuses `shape` for commands: only a module can run in a temporary folder, because a command's text contains paths.
 */
function parseShape(name: string, { entries }: LocatedMap, problems: Problems): boolean {
  const shape = entries.get("shape");
  if (!shape || !readBoolean(shape.value, '"shape"', problems)) return false;
  const other = entries.get("cmd") ?? entries.get("script") ?? entries.get("resume");
  const message = `rule "${name}" has "shape", which needs "run" and cannot be combined with "resume"`;
  if (other) problems.add(message, shape.key);
  return true;
}

/**
 * Reads a map from name to axis (or to an axis name), or a list of axis names. An axis may refer to those before it.
 */
function parseEach(
  node: Located | undefined,
  axes: ReadonlyMap<string, Located>,
  params: Scope["params"],
  problems: Problems,
): Rule["each"] {
  if (!node) return [];
  const each: { name: string; axis: AxisSpec }[] = [];
  const bound = new Map<string, AxisSpec>();
  const names = node.kind === "map" ? [...node.entries.keys()] : [];
  const add = (name: string, span: Span, value: Located) => {
    if (!checkName(name, "axis", span, problems)) return;
    if (["in", "out", "scratch"].includes(name)) problems.add(`an axis cannot be named "${name}"`, span);
    if (bound.has(name)) problems.add(`axis "${name}" is named twice`, span);
    const spec = isText(value) ? axes.get(value.value) : value;
    if (!spec) {
      const wanted = isText(value) ? value.value : name;
      problems.add(`unknown axis "${wanted}"`, value.span, didYouMean(wanted, axes.keys()));
    }
    const empty: AxisSpec = { kind: "list", values: [], span: value.span };
    const scope = { axes: bound, params, later: names.slice(each.length + 1), roles: null };
    const axis = spec ? parseAxis(spec, scope, problems) : empty;
    each.push({ name, axis });
    bound.set(name, axis);
  };
  if (node.kind === "map") for (const [name, { key, value }] of node.entries) add(name, key, value);
  else if (node.kind === "list") {
    for (const item of readTexts(node, "an axis name", problems)) add(item.value, item.span, item);
  } else {
    const hint = "write [dataset] or { dataset: dataset, case: { glob: … } }";
    problems.add(`"each" must be a map or a list of axis names, not ${describe(node)}`, node.span, hint);
  }
  return each;
}

/**
 * Reads a path, a list of paths, or a map from roles to these. In a map, an input may also be a map of `INPUT_KEYS`.
 */
function parseDeclarations(
  role: "in" | "out",
  node: Located | undefined,
  scope: Scope,
  problems: Problems,
): Declaration[] {
  if (!node) return [];
  if (node.kind !== "map") return [parsePaths(role, node, scope, problems)];
  for (const [name, { key }] of node.entries) checkName(name, `"${role}"`, key, problems);
  return [...node.entries].map(([name, { value }]) =>
    role === "in" && value.kind === "map"
      ? parseInput(name, value, scope, problems)
      : parsePaths(name, value, scope, problems),
  );
}

function parsePaths(role: string, node: Located, scope: Scope, problems: Problems): Declaration {
  const texts = readTexts(node, `a path of "${role}"`, problems);
  for (const { value, span } of texts) if (value === "") problems.add("a path cannot be empty", span);
  const paths = texts.map((text) => parseTemplate(text, scope, problems));
  return { role, list: node.kind === "list", paths };
}

export const INPUT_KEYS = ["path", "names", "ignore", "hint"] as const;

/** Reads `{ path: … }` or `{ names: FOLDER/ }`, with `ignore` patterns, and a `hint` for a user who lacks the input. */
function parseInput(role: string, node: LocatedMap, scope: Scope, problems: Problems): Declaration {
  refuseUnknownKeys(node, INPUT_KEYS, `input "${role}"`, problems);
  const get = (key: (typeof INPUT_KEYS)[number]): Located | undefined => node.entries.get(key)?.value;
  const [path, names, ignore, hint] = [get("path"), get("names"), get("ignore"), get("hint")];
  const [read] = path && names ? [] : [path ?? names];
  if (!read) problems.add(`input "${role}" needs one of "path" and "names"`, node.span);
  const text = hint && readText(hint, '"hint"', problems);
  return {
    ...(read ? parsePaths(role, read, scope, problems) : { role, list: false, paths: [] }),
    ...(names && { names: true }),
    ...(ignore && { ignore: readTexts(ignore, "a pattern", problems).map(({ value }) => value) }),
    ...(text && { hint: parseTemplate(text, scope, problems) }),
  };
}

function parseWith(node: Located | undefined, scope: Scope, problems: Problems): Rule["with"] {
  const values = new Map<string, { value: TemplateValue; span: Span }>();
  const map = node ? readMap(node, '"with"', problems) : null;
  for (const [name, { value }] of map?.entries ?? []) {
    values.set(name, { value: parseValue(value, scope, problems), span: value.span });
  }
  return values;
}

/** Reads names of variables from lq's environment, or a map from names to values (null: also from lq's environment). */
function parseEnv(node: Located, scope: Scope, problems: Problems): Rule["env"] {
  const env = new Map<string, Template | null>();
  const add = (name: string, span: Span, value: Template | null) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problems.add(`"${name}" is not the name of an environment variable`, span);
    }
    if (["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"].includes(name))
      problems.add(`lq sets "${name}" for each task`, span, "ask for devices under slots:, as in gpu: 1");
    env.set(name, value);
  };
  if (node.kind !== "map") {
    for (const { value, span } of readTexts(node, "a variable's name", problems)) add(value, span, null);
    return env;
  }
  for (const [name, { key, value }] of node.entries)
    add(name, key, parseScalar(value, "a variable", scope, problems));
  return env;
}

function parsePattern(node: Located, problems: Problems): RegExp | null {
  const text = readText(node, '"oom"', problems);
  if (!text) return null;
  try {
    return new RegExp(text.value);
  } catch {
    const hint = "escape characters such as ( and [ with a backslash";
    problems.add(`"oom" must be a regular expression, but "${text.value}" is not one`, text.span, hint);
    return null;
  }
}

function parseWhen(node: Located, scope: Scope, problems: Problems): Template | null {
  return parseScalar(node, '"when"', scope, problems);
}

/** Text, or a number or boolean as text; null for nothing. */
function parseScalar(node: Located, what: string, scope: Scope, problems: Problems): Template | null {
  if (node.kind === "scalar" && node.value === null) return null;
  if (node.kind === "scalar" && !isText(node))
    return { parts: [{ kind: "text", text: node.raw }], span: node.span };
  const text = readText(node, what, problems);
  return text && parseTemplate(text, scope, problems);
}
