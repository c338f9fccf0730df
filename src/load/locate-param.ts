/** Finds the place of a param in the project's files. */
import { isDeepStrictEqual } from "node:util";
import type { Span } from "../model/errors.ts";
import type { Json, Pipeline } from "../model/model.ts";
import { readSource } from "./files.ts";
import { Problems } from "./problems.ts";
import { child } from "../model/json.ts";
import { parseYaml, toJson, type Located } from "./yaml.ts";

/**
 * The place of the value at a path of keys. If there is no such value, the place of the innermost value around it.
 * It searches the last profile first, and takes the first file that has the value which the build uses. Undefined if no
 * file has it (`--set`, a merged map).
 */
export function paramSpan(pipeline: Pipeline, path: readonly string[]): Span | undefined {
  for (let length = path.length; length > 0; length--) {
    const keys = path.slice(0, length);
    const wanted = keys.reduce<Json | undefined>((at, key) => at && child(at, key), pipeline.params);
    if (wanted === undefined) continue;
    for (const file of pipeline.files.slice(1).reverse()) {
      const node = nodeAt(parsed(pipeline.root, file), keys);
      if (node && isDeepStrictEqual(toJson(node), wanted)) return node.span;
    }
    return undefined;
  }
  return undefined;
}

function parsed(root: string, file: string): Located | null {
  return parseYaml(file, readSource(root, file) ?? "", new Problems());
}

function nodeAt(node: Located | null, path: readonly string[]): Located | null {
  return path.reduce<Located | null>((at, key) => {
    if (at?.kind === "map") return at.entries.get(key)?.value ?? null;
    return at?.kind === "list" ? (at.items[Number(key)] ?? null) : null;
  }, node);
}
