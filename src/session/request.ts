/** What every command that looks at tasks is asked. */
import type { HashOptions } from "../files/hash-many.ts";
import type { Pipeline } from "../model/model.ts";

/** Targets as typed: output paths, directories, rules, task ids, globs of these; none: the pipeline's default. */
export interface Request {
  readonly pipeline: Pipeline;
  readonly targets: readonly string[];
  /** Absolute folder that relative paths in targets start from. */
  readonly cwd: string;
  /** Who is told, of those that only look, how far the hashing of sources is. */
  readonly hashing?: HashOptions | undefined;
}
