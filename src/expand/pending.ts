/**
 * Knows the pending expansions, and which paths they may make.
 *
 * The outputs of an expansion are the templates of its rule, with wildcards for the values that are not known yet. They
 * are indexed by the folder before the first wildcard, so that a question about one path need not look at every
 * expansion.
 */
import type { PendingExpansion, Json, Declaration, TemplatePart } from "../model/model.ts";
import { lookUp, pathText, type Names } from "./bind.ts";
import { ancestors, normalise } from "../model/paths.ts";

/** The known part of the paths that a glob matches. */
export interface PathPattern {
  /** Text at the beginning of all of them. */
  readonly before: string;
  /** Text at the end of all of them. */
  readonly after: string;
  /** How many slashes they can have at most. */
  readonly depth: number;
}

interface Shape {
  readonly expansion: PendingExpansion;
  /** The text between wildcards. */
  readonly literals: readonly string[];
}

export class PendingExpansions {
  readonly #shapes = new Map<PendingExpansion, readonly Shape[]>();
  readonly #byFolder = new Map<string, Set<Shape>>();
  readonly #root: string;
  readonly #params: Json;

  constructor(root: string, params: Json) {
    this.#root = root;
    this.#params = params;
  }

  get all(): readonly PendingExpansion[] {
    return [...this.#shapes.keys()];
  }

  get size(): number {
    return this.#shapes.size;
  }

  has(expansion: PendingExpansion): boolean {
    return this.#shapes.has(expansion);
  }

  add(expansion: PendingExpansion): void {
    const shapes = this.#shapesOf(expansion);
    this.#shapes.set(expansion, shapes);
    for (const shape of shapes) {
      const folder = folderOf(shape);
      const there = this.#byFolder.get(folder) ?? new Set();
      this.#byFolder.set(folder, there.add(shape));
    }
  }

  delete(expansion: PendingExpansion): void {
    for (const shape of this.#shapes.get(expansion) ?? []) {
      const folder = folderOf(shape);
      const there = this.#byFolder.get(folder);
      there?.delete(shape);
      if (there?.size === 0) this.#byFolder.delete(folder);
    }
    this.#shapes.delete(expansion);
  }

  /** Expansions that may make the path or, for a directory, something in it (or the directory that it is in). */
  for(path: string): readonly PendingExpansion[] {
    if (this.#shapes.size === 0) return [];
    const found = new Set<PendingExpansion>();
    const test = path.endsWith("/") || path === "" ? reaches : matches;
    const look = (folder: string) => {
      for (const shape of this.#byFolder.get(folder) ?? []) {
        if (!found.has(shape.expansion) && test(shape.literals, path)) found.add(shape.expansion);
      }
    };
    look("");
    for (const folder of ancestors(path)) look(folder);
    if (test === reaches)
      for (const folder of this.#byFolder.keys()) if (folder.startsWith(path)) look(folder);
    return [...found];
  }

  /** Whether every task of an expansion makes the path or, for a directory, something in it. */
  surely(expansion: PendingExpansion, path: string): boolean {
    const inside = path.endsWith("/") || path === "";
    return (this.#shapes.get(expansion) ?? []).some(
      ({ literals: [first = "", ...rest] }) =>
        (inside && first.startsWith(path)) || (rest.length === 0 && matches([first], path)),
    );
  }

  /** Expansions that may make an output whose path fits the pattern. */
  like({ before, after, depth }: PathPattern): readonly PendingExpansion[] {
    return this.all.filter((expansion) =>
      this.#shapes.get(expansion)?.some(({ literals }) => {
        const [first = "", last = ""] = [literals[0], literals.at(-1)];
        const slashes = literals.join("").replace(/\/$/, "").split("/").length - 1;
        const starts = first.startsWith(before) || (literals.length > 1 && before.startsWith(first));
        return starts && slashes <= depth && (last.endsWith(after) || after.endsWith(last));
      }),
    );
  }

  /** The inputs of the tasks of an expansion, in the order of the rule: known paths, or patterns of paths. */
  reads(expansion: PendingExpansion): readonly (string | PathPattern)[] {
    return this.#literalsOf(expansion, expansion.rule.inputs).map((literals) =>
      literals.length === 1
        ? (literals[0] ?? "")
        : { before: literals[0] ?? "", after: literals.at(-1) ?? "", depth: Infinity },
    );
  }

  #shapesOf(expansion: PendingExpansion): Shape[] {
    return this.#literalsOf(expansion, expansion.rule.outputs).map((literals) => ({ expansion, literals }));
  }

  /** The known texts of each path, between the wildcards. */
  #literalsOf(
    expansion: PendingExpansion,
    declarations: readonly Declaration[],
  ): readonly (readonly string[])[] {
    const names: Names = { axes: expansion.rule.each.map(({ name }) => name), params: this.#params };
    const bound = expansion.bound.map(({ value }) => value);
    const known = new Set(expansion.bound.map(({ name }) => name));
    const fill = (part: TemplatePart): string => {
      if (part.kind === "text") return part.text;
      if (part.kind !== "axis" && part.kind !== "param") return WILDCARD;
      const needs =
        part.kind === "axis" ? [part.name] : part.path.flatMap((s) => (typeof s === "string" ? [] : s.axis));
      if (!needs.every((name) => known.has(name))) return WILDCARD;
      return pathText(lookUp(part, names, bound).value, part.span, part.kind === "axis");
    };
    return declarations.flatMap(({ paths }) =>
      paths.map(({ parts }) => normalise(this.#root, parts.map(fill).join("")).split(WILDCARD)),
    );
  }
}

/** Stands for an unknown value in a path. No real path contains this character. */
const WILDCARD = "\0";

function folderOf({ literals: [first = ""] }: Shape): string {
  return first.slice(0, first.lastIndexOf("/") + 1);
}

/** Whether the shape may make the path, or a directory that contains it. */
function matches(literals: readonly string[], path: string): boolean {
  const [first = "", ...rest] = literals;
  const last = rest.pop();
  if (!path.startsWith(first)) return false;
  if (last === undefined) return path === first || first.endsWith("/");
  let at = first.length;
  for (const literal of rest) {
    const found = path.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  if (last.endsWith("/")) return path.includes(last, at);
  return path.endsWith(last) && path.length - last.length >= at;
}

/** Whether the shape may make something in a directory. A wildcard may stand for any number of folders. */
function reaches([first = "", ...rest]: readonly string[], directory: string): boolean {
  if (first.startsWith(directory)) return true;
  return directory.startsWith(first) && (rest.length > 0 || first.endsWith("/"));
}
