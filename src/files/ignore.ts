/**
 * Files that never count in a folder that is an input or an output: what editors, file managers, version control and
 * Python leave beside the files that matter, and what `ignore:` in pipeline.yaml names.
 */
import { createRequire } from "node:module";
import type ignoring from "ignore";
import type { Ignore as Matcher } from "ignore";
import { isWithin } from "../model/paths.ts";

/** docs/reference/pipeline.md lists these names. */
const NAMES = [
  // version control and settings of editors
  ...["\\.git", "\\.hg", "\\.svn", "\\.idea", "\\.vscode"],
  // caches of Python's tools
  ...["__pycache__", "\\.pytest_cache", "\\.mypy_cache", "\\.ruff_cache", "\\.ipynb_checkpoints"],
  // desktops and file servers
  ...["\\.DS_Store", "\\._[^/]*", "Thumbs\\.db", "desktop\\.ini", "\\.nfs[^/]*", "\\.fuse_hidden[^/]*"],
  // backups, swap files and locks of editors
  ...["[^/]*~", "[^/]*\\.sw[nop]", "\\.#[^/]*", "#[^/]*#", "\\.~lock\\.[^/]*#"],
];
const DEFAULT = new RegExp(`(?:^|/)(?:${NAMES.join("|")})(?:/|$)`);
const BYTECODE = /(?:^|\/)__pycache__(?:\/|$)/;

export class Ignore {
  /** The default list alone. */
  static readonly DEFAULT = new Ignore("", []);

  readonly #root: string;
  readonly #matcher: Matcher | null;

  /**
   * @param root absolute path of the project
   * @param patterns as in a .gitignore there; "!…" lets files of the default list count
   */
  constructor(root: string, patterns: readonly string[]) {
    this.#root = root;
    this.#matcher = patterns.length === 0 ? null : matcherOf(patterns);
  }

  /**
   * @param folder a folder's path, absolute or of the project, with "/" at its end unless it is ""
   * @param name of a file below the folder, at any depth; of a folder with "/" at its end
   */
  covers(folder: string, name: string): boolean {
    if (this.#matcher === null) return DEFAULT.test(name);
    if (isBytecode(name)) return true;
    const inside = isWithin(this.#root, folder) ? folder.slice(this.#root.length) : folder;
    const { ignored, unignored } = this.#matcher.test(inside.replace(/^\/+/, "") + name);
    return ignored || (!unignored && DEFAULT.test(name));
  }
}

const matchers = new WeakMap<readonly string[], Matcher>();

/** @param patterns of one input, as in a .gitignore in its folder. @param names relative to the folder */
export function isIgnoredBy(patterns: readonly string[], name: string): boolean {
  let matcher = matchers.get(patterns);
  if (matcher === undefined) matchers.set(patterns, (matcher = matcherOf(patterns)));
  return matcher.ignores(name);
}

/** Python's bytecode. It follows from the modules beside it, but contains their times. */
export function isBytecode(name: string): boolean {
  return BYTECODE.test(name);
}

/** Few pipelines have patterns, so the library is loaded only then. */
function matcherOf(patterns: readonly string[]): Matcher {
  const ignore = createRequire(import.meta.url)("ignore") as typeof ignoring;
  return ignore({ ignorecase: false }).add(patterns);
}
