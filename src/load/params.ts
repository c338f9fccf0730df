/**
 * Loads the params that rules read: params.yaml, profiles that override it, and `--set a.b=c`, which overrides both.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Span } from "../model/errors.ts";
import type { Json } from "../model/model.ts";
import { readAssignment, type Assignment } from "./assignment.ts";
import { readSource } from "./files.ts";
import type { Problems } from "./problems.ts";
import { describe } from "./read.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { child, keysOf } from "../model/json.ts";
import type { ParamPath } from "./unread-params.ts";
import { parseYaml, toJson, type Located, type LocatedMap } from "./yaml.ts";

interface JsonMap {
  readonly [key: string]: Json;
}

export interface ParamsRequest {
  readonly dir: string;
  /** The params file, with its place in pipeline.yaml; null if pipeline.yaml names none. */
  readonly file: { readonly path: string; readonly span: Span } | null;
  readonly profiles: readonly string[];
  readonly set: readonly string[];
}

export interface Params {
  /** The merged values. */
  readonly params: JsonMap;
  /** The files that they were read from. */
  readonly files: readonly string[];
  /** What profiles and `--set` give. */
  readonly given: readonly GivenParam[];
}

export interface GivenParam {
  readonly path: ParamPath;
  /** "--set a.b=3", or the path of the param in a profile. */
  readonly name: string;
  readonly span?: Span;
}

export function loadParams(request: ParamsRequest, problems: Problems): Params {
  const { dir, file } = request;
  const files: string[] = [];
  const given: GivenParam[] = [];
  let params: JsonMap = {};
  if (file) {
    files.push(file.path);
    const text = readSource(dir, file.path);
    if (text === null) problems.add(`params file "${file.path}" cannot be read`, file.span);
    else params = readParams(file.path, text, problems).params;
  }
  for (const profile of request.profiles) {
    const path = `profiles/${profile}.yaml`;
    const text = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[\w./-]+$/.test(profile) ? readSource(dir, path) : null;
    if (text === null) {
      problems.add(
        `unknown profile "${profile}": there is no ${path}`,
        undefined,
        didYouMean(profile, profilesIn(dir)),
      );
      continue;
    }
    files.push(path);
    const read = readParams(path, text, problems);
    params = overlay(params, read.params) as JsonMap;
    given.push(...leavesOf(read.node));
  }
  for (const text of request.set) {
    const assignment = readAssignment(text, problems);
    const changed = assignment && assign(params, assignment, problems);
    if (!changed) continue;
    params = changed;
    given.push({ path: assignment.path, name: assignment.name });
  }
  return { params, files, given };
}

function readParams(
  file: string,
  text: string,
  problems: Problems,
): { params: JsonMap; node: LocatedMap | null } {
  const node = parseYaml(file, text, problems);
  if (!node || (node.kind === "scalar" && node.value === null)) return { params: {}, node: null };
  if (node.kind === "map") {
    refuseAmbiguous(node, problems);
    return { params: toJson(node) as JsonMap, node };
  }
  problems.add(`params must be a map, not ${describe(node)}`, node.span);
  return { params: {}, node: null };
}

/** YAML reads 001 as the number 1, which is wrong for the name of a case and right for a count. */
function refuseAmbiguous(node: Located, problems: Problems): void {
  if (node.kind === "list") for (const item of node.items) refuseAmbiguous(item, problems);
  else if (node.kind === "map")
    for (const { value } of node.entries.values()) refuseAmbiguous(value, problems);
  else if (typeof node.value === "number" && /^[-+]?0\d+$/.test(node.raw))
    problems.add(
      `${node.raw} may mean a text or the number ${node.value}`,
      node.span,
      `write "${node.raw}" or ${node.value}`,
    );
}

function leavesOf(node: LocatedMap | null, above: ParamPath = []): readonly GivenParam[] {
  return [...(node?.entries ?? [])].flatMap(([key, { key: span, value }]) => {
    const path = [...above, key];
    const isMap = value.kind === "map" && value.entries.size > 0;
    return isMap ? leavesOf(value, path) : [{ path, name: path.join("."), span }];
  });
}

/** Merges maps deeply. Any other value of `above` replaces the value of `below`. */
function overlay(below: Json | undefined, above: Json): Json {
  if (!isMap(below) || !isMap(above)) return above;
  const merged = Object.entries(above).map(([key, value]) => [key, overlay(child(below, key), value)]);
  return { ...below, ...(Object.fromEntries(merged) as JsonMap) };
}

/** The path must exist. A new key may be added to a map, unless it looks like a typing error. */
function assign(params: JsonMap, { name, path, value }: Assignment, problems: Problems): JsonMap | null {
  let inside: Json = params;
  for (const [i, key] of path.entries()) {
    const next = child(inside, key);
    const isNew = i === path.length - 1 && isMap(inside) && nearest(key, keysOf(inside)) === undefined;
    if (next === undefined && !(isNew && /^[\p{L}\p{N}_.-]+$/u.test(key))) {
      problems.add(
        `${name}: no param "${path.slice(0, i + 1).join(".")}"`,
        undefined,
        dottedKey(inside, path.slice(i)) ?? didYouMean(key, keysOf(inside)),
      );
      return null;
    }
    inside = next ?? null;
  }
  return replace(params, path, value) as JsonMap;
}

/** A hint where the map has a key with dots that begins as the path does. */
function dottedKey(inside: Json, path: ParamPath): string | undefined {
  const rest = path.join(".");
  const key = keysOf(inside).find((each) => each.includes(".") && `${rest}.`.startsWith(`${each}.`));
  return key === undefined ? undefined : `a key with dots needs quotes: "${key}"`;
}

function replace(inside: Json, path: ParamPath, value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const inner = replace(child(inside, key) ?? null, rest, value);
  if (Array.isArray(inside))
    return (inside as readonly Json[]).map((item, i) => (i === Number(key) ? inner : item));
  return { ...(inside as JsonMap), [key]: inner };
}

function profilesIn(dir: string): string[] {
  try {
    const names = readdirSync(join(dir, "profiles"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".yaml"),
    );
    return names.map((name) => name.slice(0, -".yaml".length)).sort();
  } catch {
    return [];
  }
}

function isMap(value: Json | undefined): value is JsonMap {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
