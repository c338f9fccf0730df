/** The request of every command that looks at tasks. */
import type { HashOptions } from "../files/hash-many.ts";
import type { Pipeline } from "../model/model.ts";

export interface Request {
  readonly pipeline: Pipeline;
  /** Targets as typed: output paths, directories, rules, task ids, globs of these. Empty: the pipeline's default. */
  readonly targets: readonly string[];
  /** The absolute folder that relative paths in targets start from. */
  readonly cwd: string;
  /** For read-only commands: how to report the progress of hashing the sources. */
  readonly hashing?: HashOptions | undefined;
}
