/**
 * Stores digests that `status`, a dry run or `plan` computed if that was much work, so that nobody waits for it again.
 */
import { errorCode } from "../model/errors.ts";
import { isMuch } from "../files/hash-many.ts";
import { acquireFreeLock } from "../state/lock.ts";
import { State } from "../state/state.ts";
import type { Session } from "./session.ts";

/**
 * After little hashing these commands change nothing on disk. They also store nothing while a build runs, because that
 * build hashes the files itself, and nothing if the user has no permission to write.
 */
export function keepLearned({ root, state: reader }: Pick<Session, "root" | "state">): void {
  if (!isMuch(reader.learned)) return;
  try {
    const lock = acquireFreeLock(root);
    if (lock === null) return;
    try {
      const state = State.open(root);
      for (const { path, digest, signature } of reader.takeLearned())
        state.rememberFile(path, digest, signature);
      state.close();
    } finally {
      lock.release();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}
