/** The request of every command that looks at tasks. */
import type { HashOptions } from "../files/hash-many.ts";
import type { Pipeline } from "../model/model.ts";

export interface Request {
  readonly pipeline: Pipeline;
  /** As typed: output paths, directories, rules, task ids, globs of these. None: the pipeline's default. */
  readonly targets: readonly string[];
  /** The absolute folder that relative paths in targets start from. */
  readonly cwd: string;
  /** For commands that only look: how to report the progress of hashing the sources. */
  readonly hashing?: HashOptions | undefined;
}
