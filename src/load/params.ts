/**
 * Loads the params that rules read: params.yaml, profiles that override it, and `--set a.b=c`, which overrides both.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Span } from "../model/errors.ts";
import type { Json } from "../model/model.ts";
import { readSource } from "./files.ts";
import type { Problems } from "./problems.ts";
import { describe } from "./read.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { child, keysOf } from "./template.ts";
import { parseYaml, toJson } from "./yaml.ts";

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

/** The merged values, and the files that they were read from. */
export function loadParams(request: ParamsRequest, problems: Problems): { params: JsonMap; files: string[] } {
  const { dir, file } = request;
  const files: string[] = [];
  let params: JsonMap = {};
  if (file) {
    files.push(file.path);
    const text = readSource(dir, file.path);
    if (text === null) problems.add(`params file "${file.path}" cannot be read`, file.span);
    else params = readParams(file.path, text, problems);
  }
  for (const profile of request.profiles) {
    const path = `profiles/${profile}.yaml`;
    const text = /^[\w.-]+$/.test(profile) && profile !== ".." ? readSource(dir, path) : null;
    if (text === null) {
      problems.add(
        `unknown profile "${profile}": there is no ${path}`,
        undefined,
        didYouMean(profile, profilesIn(dir)),
      );
      continue;
    }
    files.push(path);
    params = overlay(params, readParams(path, text, problems)) as JsonMap;
  }
  for (const assignment of request.set) params = assign(params, assignment, problems);
  return { params, files };
}

function readParams(file: string, text: string, problems: Problems): JsonMap {
  const node = parseYaml(file, text, problems);
  if (!node || (node.kind === "scalar" && node.value === null)) return {};
  if (node.kind === "map") return toJson(node) as JsonMap;
  problems.add(`params must be a map, not ${describe(node)}`, node.span);
  return {};
}

/** Merges maps deeply. Any other value of `above` replaces the value of `below`. */
function overlay(below: Json | undefined, above: Json): Json {
  if (!isMap(below) || !isMap(above)) return above;
  const merged = Object.entries(above).map(([key, value]) => [key, overlay(child(below, key), value)]);
  return { ...below, ...(Object.fromEntries(merged) as JsonMap) };
}

/** `a.b=c`: `c` is YAML. The path must exist. A new key may be added to a map, unless it looks like a typing error. */
function assign(params: JsonMap, assignment: string, problems: Problems): JsonMap {
  const name = `--set ${assignment}`;
  const equals = assignment.indexOf("=");
  if (equals < 1) {
    problems.add(`${name}: expected PATH=VALUE`, undefined, "write it as in --set training.epochs=3");
    return params;
  }
  const value = parseYaml(name, assignment.slice(equals + 1), problems);
  if (!value) return params;
  const path = assignment.slice(0, equals).split(".");
  let inside: Json = params;
  for (const [i, key] of path.entries()) {
    const next = child(inside, key);
    const isNew = i === path.length - 1 && isMap(inside) && nearest(key, keysOf(inside)) === undefined;
    if (next === undefined && !(isNew && /^[\p{L}\p{N}_-]+$/u.test(key))) {
      const hint = didYouMean(key, keysOf(inside));
      problems.add(`${name}: no param "${path.slice(0, i + 1).join(".")}"`, undefined, hint);
      return params;
    }
    inside = next ?? null;
  }
  return replace(params, path, toJson(value)) as JsonMap;
}

function replace(inside: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const inner = replace(child(inside, key) ?? null, rest, value);
  if (Array.isArray(inside))
    return (inside as readonly Json[]).map((item, i) => (i === Number(key) ? inner : item));
  return { ...(inside as JsonMap), [key]: inner };
}

function profilesIn(dir: string): string[] {
  try {
    const names = readdirSync(join(dir, "profiles")).filter((name) => name.endsWith(".yaml"));
    return names.map((name) => name.slice(0, -".yaml".length)).sort();
  } catch {
    return [];
  }
}

function isMap(value: Json | undefined): value is JsonMap {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
