/**
 * Parses YAML into plain values with their places in the file.
 *
 * The files are untrusted. lq shares the values of aliases and never copies them. It refuses aliases that together
 * stand for more values than a person would write (an "alias bomb"). It also refuses tags, numbers that are not finite,
 * and maps with keys that are not text, so the result is always JSON.
 */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from "yaml";
import type { Span } from "../model/errors.ts";
import type { Json } from "../model/model.ts";
import type { Problems } from "./problems.ts";

export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
  readonly span: Span;
  /** The text as in the file, with its quotes. */
  readonly raw: string;
}

export interface LocatedList {
  readonly kind: "list";
  readonly items: readonly Located[];
  readonly span: Span;
}

export interface LocatedMap {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, LocatedEntry>;
  readonly span: Span;
}

export interface LocatedEntry {
  readonly key: Span;
  readonly value: Located;
}

const MAX_ALIASED = 100_000;
const MAX_DEPTH = 100;

/** Parses one YAML document. If that fails, it adds problems and returns null. */
export function parseYaml(file: string, text: string, problems: Problems): Located | null {
  const before = problems.count;
  if (tooDeep(text)) {
    problems.add(`values are nested more than ${MAX_DEPTH} deep`, { file, start: 0, end: 1 });
    return null;
  }
  // Use a fixed schema, because the document's own %YAML line must not add other types. The locator finds duplicate
  // keys, in linear time.
  const document = parseDocument(text, { schema: "core", prettyErrors: false, uniqueKeys: false });
  // Report one error for each line, because later errors on a line mostly follow from the first.
  const lines = new Set<number>();
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const line = text.lastIndexOf("\n", pos[0] - 1);
    if (lines.has(line)) continue;
    lines.add(line);
    const span = { file, start: pos[0], end: Math.max(pos[1], pos[0] + 1) };
    problems.add(MEANT.get(code) ?? firstLine(message), span, hintFor(code, message, text, pos[0]));
  }
  if (problems.count > before) return null;
  const located = new Locator(file, text, document, problems).root();
  return problems.count > before ? null : located;
}

/** Errors of the parser that speak of its own functions, in words for the author of a file. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ["MULTIPLE_DOCS", "a second document begins here, and lq reads one"],
]);

function hintFor(code: string, message: string, text: string, at: number): string | undefined {
  if (code === "MULTIPLE_DOCS") return 'take out the line "---", or write the rest to a file of its own';
  if (text.slice(at - 1, at + 1) === "${") return "inside { } and [ ], put text with ${…} in it in quotes";
  if (message.startsWith("Nested mappings"))
    return 'put text with ": " in it in quotes, or on lines of its own below "|"';
  return /^(<{7}|={7}|>{7})( |$)/m.test(text)
    ? "git left its conflict markers in the file: resolve the merge"
    : undefined;
}

/** The value without places. */
export function toJson(node: Located): Json {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toJson);
    case "map":
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toJson(value)]));
  }
}

class Locator {
  readonly #file: string;
  readonly #text: string;
  readonly #document: Document;
  readonly #problems: Problems;
  /** The node that each alias stands for. */
  readonly #targets = new Map<Node, Node>();
  readonly #done = new Map<Node, { located: Located; size: number }>();
  readonly #open = new Set<Node>();
  #aliased = 0;

  constructor(file: string, text: string, document: Document, problems: Problems) {
    this.#file = file;
    this.#text = text;
    this.#document = document;
    this.#problems = problems;
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) {
          const target = anchors.get(node.source);
          if (target) this.#targets.set(node, target);
        } else if (node.anchor) anchors.set(node.anchor, node);
      },
    });
  }

  root(): Located {
    const { contents } = this.#document;
    return isNode(contents) ? this.#locate(contents, 0).located : this.#scalar(null, this.#span(null), "");
  }

  #locate(node: Node, depth: number): { located: Located; size: number } {
    if (isAlias(node)) return this.#alias(node, depth);
    const known = this.#done.get(node);
    if (known) return known;
    this.#open.add(node);
    const made = this.#make(node, depth);
    this.#open.delete(node);
    this.#done.set(node, made);
    return made;
  }

  #make(node: Node, depth: number): { located: Located; size: number } {
    const span = this.#span(node);
    if (depth > MAX_DEPTH) return this.#refuse(`values are nested more than ${MAX_DEPTH} deep`, span);
    if (isScalar(node)) return this.#value(node, span);
    let size = 1;
    const inner = (child: unknown): Located => {
      if (!isNode(child)) return this.#scalar(null, span, "");
      const made = this.#locate(child, depth + 1);
      size += made.size;
      return made.located;
    };
    if (!isMap(node)) {
      const { items } = node as unknown as { items: unknown[] };
      const located: Located = { kind: "list", items: items.map(inner), span };
      return { located, size };
    }
    const entries = new Map<string, LocatedEntry>();
    const merged: Located[] = [];
    for (const pair of node.items) {
      const key = this.#key(pair);
      if (!key) continue;
      if (key.name === "<<") {
        merged.push(inner(pair.value ?? null));
        continue;
      }
      if (entries.has(key.name)) this.#problems.add(`key "${key.name}" is in this map twice`, key.span);
      entries.set(key.name, { key: key.span, value: inner(pair.value ?? null) });
    }
    for (const source of merged.flatMap((value) => (value.kind === "list" ? value.items : [value]))) {
      if (source.kind !== "map") this.#problems.add('"<<" takes a map or a list of maps', source.span);
      else for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
    }
    return { located: { kind: "map", entries, span }, size };
  }

  #alias(node: Node, depth: number): { located: Located; size: number } {
    const span = this.#span(node);
    const target = this.#targets.get(node);
    if (!target) return this.#refuse("alias without an anchor before it", span);
    if (this.#open.has(target)) return this.#refuse("alias inside the value that it stands for", span);
    const made = this.#locate(target, depth);
    const was = this.#aliased;
    this.#aliased += made.size;
    if (this.#aliased <= MAX_ALIASED) return made;
    if (was <= MAX_ALIASED) this.#problems.add(`aliases stand for more than ${MAX_ALIASED} values`, span);
    return { located: this.#scalar(null, span, ""), size: 1 };
  }

  #key(pair: Pair): { name: string; span: Span } | null {
    let key = isNode(pair.key) ? pair.key : null;
    const span = this.#span(key);
    if (isAlias(key)) key = this.#targets.get(key) ?? null;
    // A number or boolean as a key (for example a label's value) counts as the text that is written.
    const name = isScalar(key) ? (typeof key.value === "string" ? key.value : key.source) : undefined;
    if (name === undefined || name === "") {
      this.#problems.add("a key must be text", span);
      return null;
    }
    if (name === "__proto__") {
      this.#problems.add(`key "${name}" is not allowed`, span);
      return null;
    }
    return { name, span };
  }

  #value(node: Scalar, span: Span): { located: Located; size: number } {
    const value = node.value ?? null;
    if (typeof value === "number" && !Number.isFinite(value)) {
      return this.#refuse(`${this.#text.slice(span.start, span.end)} is not a finite number`, span);
    }
    if (typeof value === "object" ? value !== null : !JSON_TYPES.has(typeof value)) {
      return this.#refuse("only text, numbers, true, false, null, lists and maps are allowed", span);
    }
    const raw = this.#text.slice(span.start, span.end);
    if (typeof value === "number" && /^[-+]?\d+$/.test(raw) && !Number.isSafeInteger(value)) {
      return this.#refuse(`${raw} is too large: its last digits would be lost`, span, "put it in quotes");
    }
    return { located: this.#scalar(value as LocatedScalar["value"], span, raw), size: 1 };
  }

  #refuse(message: string, span: Span, hint?: string): { located: Located; size: number } {
    this.#problems.add(message, span, hint);
    return { located: this.#scalar(null, span, ""), size: 1 };
  }

  #scalar(value: LocatedScalar["value"], span: Span, raw: string): LocatedScalar {
    return { kind: "scalar", value, span, raw };
  }

  #span(node: Node | null): Span {
    const [start, end] = node?.range ?? [0, 0];
    return { file: this.#file, start, end: Math.max(end, start + 1) };
  }
}

const JSON_TYPES: ReadonlySet<string> = new Set(["string", "number", "boolean"]);

/** Whether the text may nest too deep for the parser's stack. It counts brackets and indicators, an upper bound. */
function tooDeep(text: string): boolean {
  let open = 0;
  let compact = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 91 || code === 123) open++;
    else if ((code === 93 || code === 125) && open > 0) open--;
    else if (code === 10) compact = 0;
    else if ((code === 45 || code === 63 || code === 58) && text.charCodeAt(i + 1) === 32) compact++;
    if (open > 50 * MAX_DEPTH || compact > 50 * MAX_DEPTH) return true;
  }
  return false;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
