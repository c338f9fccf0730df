/**
 * Finds the source files that a pattern matches, as in `{ glob: "src/*.txt" }`. The text that the `*` matches is the
 * value.
 *
 * A pattern has one `*` (within a name) or one `**` (any depth; then the value is a path). All other text is literal.
 */
import type { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type FastGlob from "fast-glob";
import type { Disk, Entry } from "../files/disk.ts";
import { UserError, type Span } from "../model/errors.ts";
import { refuseUndecodable } from "../files/file-names.ts";
import type { AxisSpec, Template } from "../model/model.ts";
import { isOutside, normalise } from "../model/paths.ts";

interface Pattern {
  readonly before: string;
  /** `*`, `**` or `**` + `/*`. */
  readonly star: string;
  readonly after: string;
}

/** The patterns of an axis. */
export function globsIn(axis: AxisSpec): Template[] {
  return axis.kind === "glob" ? [axis.pattern] : axis.kind === "join" ? axis.axes.flatMap(globsIn) : [];
}

export class SourceGlobs {
  readonly #root: string;
  readonly #disk: Disk;
  readonly #found = new Set<string>();
  readonly #patterns = new Map<string, Span>();
  readonly #empty = new Set<string>();

  constructor(root: string, disk: Disk) {
    this.#root = root;
    this.#disk = disk;
  }

  /** @returns the values, sorted; empty if nothing matches. @throws UserError for an invalid pattern */
  values(text: string, span: Span): readonly string[] {
    const pattern = parsePattern(this.#root, text, span);
    this.#patterns.set(text, span);
    const values =
      pattern.star === "*"
        ? inOneFolder(this.#root, this.#disk, pattern)
        : anyDepth(this.#root, this.#disk, pattern);
    for (const value of values) {
      const path = pattern.before + value + pattern.after;
      refuseUndecodable(join(this.#root, path), path);
      this.#found.add(path);
    }
    if (values.length === 0) this.#empty.add(text);
    return values.sort(byCodeUnit);
  }

  /** Whether a pattern was asked for its values and has none. */
  matchesNothing(text: string): boolean {
    return this.#empty.has(text);
  }

  /** Whether a pattern found this path: then the file is there. */
  found(path: string): boolean {
    return this.#found.has(path);
  }

  /** The patterns so far, each with its place in the pipeline. */
  get patterns(): Iterable<readonly [pattern: string, span: Span]> {
    return this.#patterns;
  }
}

/**
 * Where a pattern can match: the folder of all matches ("" is the project), an example of a path that matches, and a
 * test for paths.
 */
export function globReach(
  root: string,
  text: string,
  span: Span,
): { readonly folder: string; readonly like: string; readonly matches: (path: string) => boolean } {
  const { before, star, after } = parsePattern(root, text, span);
  const matches = (path: string): boolean =>
    path.length > before.length + after.length &&
    path.startsWith(before) &&
    path.endsWith(after) &&
    (star !== "*" || !path.slice(before.length, path.length - after.length).includes("/"));
  return { folder: before.slice(0, before.lastIndexOf("/") + 1), like: `${before}x${after}`, matches };
}

function parsePattern(root: string, text: string, span: Span): Pattern {
  const path = normalise(root, text);
  const [, before = "", star = "", after = ""] = /^([^*]*)(\*\*\/\*|\*\*|\*)([^*]*)$/.exec(path) ?? [];
  if (star === "") {
    const message = `the pattern "${text}" must have one "*" (or "**" for any depth)`;
    throw new UserError({ message, span, hint: "what it matches becomes the value of the axis" });
  }
  if (isOutside(path)) throw new UserError({ message: `the pattern "${text}" leaves the project`, span });
  return { before, star, after };
}

/** For one `*`: lists one folder, which is much cheaper than a general walk. */
function inOneFolder(root: string, disk: Disk, { before, after }: Pattern): string[] {
  const slash = before.lastIndexOf("/") + 1;
  const folder = join(root, before.slice(0, slash));
  const start = before.slice(slash);
  const below = after.indexOf("/");
  const end = below < 0 ? after : after.slice(0, below);
  const rest = below < 0 ? "" : after.slice(below + 1);
  const wantsDirectory = after.endsWith("/");
  const values: string[] = [];
  for (const { name, kind } of list(disk, folder)) {
    if (name.length <= start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) continue;
    if (start === "" && name.startsWith(".")) continue;
    if (below >= 0 || kind === "link") {
      if (!exists(disk, join(folder, name, rest), wantsDirectory)) continue;
    } else if (kind !== "file") continue;
    values.push(name.slice(start.length, name.length - end.length));
  }
  return values;
}

function anyDepth(root: string, disk: Disk, { before, star, after }: Pattern): string[] {
  // Load it only here: few pipelines need it, and loading it takes as long as the rest of a small build's start.
  const fastGlob = createRequire(import.meta.url)("fast-glob") as typeof FastGlob;
  const literal = (text: string): string => (text === "" ? "" : fastGlob.escapePath(text));
  const onlyDirectories = after.endsWith("/");
  const end = onlyDirectories ? after.slice(0, -1) : after;
  const source = `${literal(before)}${star === "**" ? "**/*" : star}${literal(end)}`;
  const paths = fastGlob.sync(source, {
    cwd: root,
    onlyDirectories,
    onlyFiles: !onlyDirectories,
    ignore: ["cache/**", "node_modules/**", ".git/**"],
    followSymbolicLinks: false,
    // The option `withFileTypes` is always set, but the library's types do not say so.
    fs: {
      readdirSync: ((folder: string) => disk.list(folder).map(asDirent)) as unknown as typeof readdirSync,
    },
  });
  return paths
    .map((path) => path.slice(before.length, path.length - end.length))
    .filter((value) => value !== "");
}

function asDirent({ name, kind }: Entry) {
  return {
    name,
    isFile: () => kind === "file",
    isDirectory: () => kind === "folder",
    isSymbolicLink: () => kind === "link",
  };
}

function list(disk: Disk, folder: string): readonly Entry[] {
  try {
    return disk.list(folder);
  } catch {
    return [];
  }
}

function exists(disk: Disk, path: string, wantsDirectory: boolean): boolean {
  const stat = disk.find(path);
  return stat !== undefined && (wantsDirectory ? stat.isDirectory() : stat.isFile());
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
