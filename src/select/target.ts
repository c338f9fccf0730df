/**
 * Matches one target as a user types it: an output, a directory, a rule, a task id, or a glob of these. In the name of
 * a rule or task, `*` matches any text. In a path, it matches only within one folder.
 */
import { posix } from "node:path";
import picomatch from "picomatch";
import { normalise } from "../model/paths.ts";
import { ruleOf } from "../model/task-id.ts";

export class TargetPattern {
  readonly text: string;
  /** The target as a path in normal form. */
  readonly path: string;
  readonly isGlob: boolean;
  readonly #isName: (text: string) => boolean;
  readonly #isPath: (path: string) => boolean;

  /** @param cwd the folder that paths are relative to, relative to the project ("" is the project) */
  constructor(root: string, text: string, cwd: string) {
    this.text = text;
    // `posix.join` does not change "*" and other wildcards.
    this.path = normalise(root, posix.isAbsolute(text) ? text : posix.join(cwd, text));
    this.isGlob = picomatch.scan(text).isGlob;
    this.#isName = matcher(text, { bash: true });
    this.#isPath = matcher(this.path);
  }

  matchesRule(name: string): boolean {
    return this.#isName(name);
  }

  /** Whether it matches the task's id or the name of its rule. */
  matchesTask(id: string): boolean {
    return this.#isName(id) || this.#isName(ruleOf(id));
  }

  /** Whether it matches an output's path or, with "/" at its end, a folder that the output is in. */
  matchesOutput(path: string): boolean {
    if (this.#isPath(path)) return true;
    if (!this.path.endsWith("/")) return false;
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
      if (this.#isPath(path.slice(0, end + 1))) return true;
    return false;
  }
}

/** Handles the empty pattern itself, because picomatch throws on it. */
function matcher(pattern: string, options?: picomatch.PicomatchOptions): (text: string) => boolean {
  return pattern === "" ? (text) => text === "" : picomatch(pattern, options);
}
