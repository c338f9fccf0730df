/**
 * Load: the project's folder → a `Pipeline`.
 *
 * lq checks every value. It collects all errors of all files, each with its place, and throws them together.
 */
import { debug } from "../system/debug.ts";
import { resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import type { AxisSpec, Pipeline, Rule } from "../model/model.ts";
import { parseAxis } from "./axes.ts";
import { parseCache } from "./cache.ts";
import { loadConfig } from "./config.ts";
import { parseEnvironment } from "./environment.ts";
import { PIPELINE_FILE, readSource } from "./files.ts";
import { loadParams, type GivenParam } from "./params.ts";
import { Problems } from "./problems.ts";
import { checkName, describe, readMap, readText, readTexts, refuseUnknownKeys } from "./read.ts";
import { parseRule } from "./rules.ts";
import { parseShow } from "./show.ts";
import { JOB_KEYS, NO_SLURM, parseSlurm, QUEUE_KEYS } from "./slurm.ts";
import { unreadParams } from "./unread-params.ts";
import { parseYaml, type Located, type LocatedMap } from "./yaml.ts";

export interface LoadRequest {
  /** The folder that holds pipeline.yaml. */
  readonly dir: string;
  /** Names of profiles/NAME.yaml. A later profile overrides an earlier one. */
  readonly profiles: readonly string[];
  /** Assignments `a.b=c`. They override everything else. */
  readonly set: readonly string[];
}

export { PIPELINE_FILE } from "./files.ts";
export const TOP_KEYS = [
  "version",
  "params",
  "axes",
  "default",
  "cache",
  "environment",
  "ignore",
  "show",
  "slurm",
  "rules",
] as const;

/** @throws UserError with every problem of pipeline.yaml, params and profiles */
export function loadPipeline({ dir, profiles, set }: LoadRequest): Pipeline {
  const root = resolve(dir);
  const text = readSource(root, PIPELINE_FILE);
  if (text === null) {
    throw new UserError({
      message: `no ${PIPELINE_FILE} can be read in ${root}`,
      hint: "go to the project's folder, or name it with -C DIR",
    });
  }
  const problems = new Problems();
  const node = parseYaml(PIPELINE_FILE, text, problems);
  const map = node && readMap(node, PIPELINE_FILE, problems);
  const pipeline = map && parsePipeline(root, map, { profiles, set }, problems);
  problems.throwIfAny();
  if (!pipeline) throw new UserError(`${PIPELINE_FILE} is empty`);
  debug.load?.(`read ${pipeline.files.join(", ")} in ${root}; rules: ${pipeline.rules.size}`);
  return pipeline;
}

function parsePipeline(
  root: string,
  map: LocatedMap,
  request: Omit<LoadRequest, "dir">,
  problems: Problems,
): Pipeline {
  refuseUnknownKeys(map, TOP_KEYS, PIPELINE_FILE, problems);
  const get = (key: (typeof TOP_KEYS)[number]): Located | undefined => map.entries.get(key)?.value;
  checkVersion(map, get("version"), problems);

  const paramsNode = get("params");
  const path = paramsNode ? readText(paramsNode, '"params"', problems) : null;
  const file = path && { path: path.value, span: path.span };
  const before = problems.count;
  const { params, files, given } = loadParams({ dir: root, file, ...request }, problems);
  const known = problems.count === before ? params : undefined;

  const axisNodes = namedEntries(get("axes"), "axes", problems);
  const axes = new Map([...axisNodes].map(([name, { value }]) => [name, value]));
  for (const [name, { key }] of axisNodes) checkName(name, "axis", key, problems);
  const config = loadConfig(process.env);
  const environment = parseEnvironment(get("environment"), config.environment, problems);
  const noAxes = { axes: new Map<string, AxisSpec>(), params: known, roles: null };
  const keys = [...JOB_KEYS, ...QUEUE_KEYS];
  const machine = parseSlurm(config.slurm, NO_SLURM, keys, noAxes, problems);
  const slurm = parseSlurm(get("slurm"), machine, keys, noAxes, problems);
  const rules = new Map<string, Rule>();
  for (const [name, { key, value }] of namedEntries(get("rules"), "rules", problems)) {
    const rule = parseRule(name, key, value, axes, known, { environment, slurm }, problems);
    if (rule) rules.set(name, rule);
  }
  if (rules.size === 0 && problems.count === 0) problems.add("there are no rules", map.span);

  const named = parseAxes(axes, rules, known, problems);
  if (problems.count === 0) refuseUnread(unreadParams({ rules, axes: named, slurm }, given), problems);
  const [targets, ignored] = [get("default"), get("ignore")];
  return {
    root,
    params,
    axes: named,
    rules,
    default: targets
      ? readTexts(targets, "a default target", problems).map(({ value: text, span }) => ({ text, span }))
      : [],
    cache: parseCache(root, get("cache"), problems),
    ignore: ignored ? readTexts(ignored, "a pattern", problems).map(({ value }) => value) : [],
    show: parseShow(get("show"), rules, problems),
    slurm,
    files: [PIPELINE_FILE, ...files],
  };
}

function refuseUnread(unread: readonly GivenParam[], problems: Problems): void {
  const hint = "take it away, or name it in a rule";
  for (const { name, path, span } of unread) {
    const message = `no rule reads param "${path.join(".")}"`;
    problems.add(span ? message : `${name}: ${message}`, span, hint);
  }
}

/** Parses the named axes without a rule. Here an axis may refer to any axis of any rule. */
function parseAxes(
  nodes: ReadonlyMap<string, Located>,
  rules: ReadonlyMap<string, Rule>,
  params: Pipeline["params"] | undefined,
  problems: Problems,
): ReadonlyMap<string, AxisSpec> {
  const names = [...rules.values()].flatMap(({ each }) => each);
  const known = new Map(names.map(({ name, axis }) => [name, axis]));
  const scope = { axes: known, params, roles: null };
  return new Map([...nodes].map(([name, node]) => [name, parseAxis(node, scope, problems)]));
}

function checkVersion(map: LocatedMap, node: Located | undefined, problems: Problems): void {
  if (!node) problems.add('"version" is missing', map.span, "write version: 1 at the top");
  else if (node.kind !== "scalar" || node.value !== 1) {
    problems.add(`version ${describe(node)} is not known`, node.span, "this lq reads version 1");
  }
}

function namedEntries(node: Located | undefined, name: string, problems: Problems): LocatedMap["entries"] {
  return (node && readMap(node, `"${name}"`, problems)?.entries) ?? new Map<string, never>();
}
