/** Restores outputs from the cache, for a few tasks at a time. */
import { join } from "node:path";
import { StagingArea } from "../execute/staging.ts";
import { STAGING } from "../model/layout.ts";
import type { Recorder } from "../record/record.ts";
import { Heap } from "../schedule/heap.ts";
import type { Task } from "../model/model.ts";
import type { Restorable } from "../plan/evaluate.ts";
import type { Remote } from "../remote/remote.ts";
import type { Session } from "../session/session.ts";

/** Enough to hash on all cores, and few enough to use little memory and to end soon after an interrupt. */
const MOST_AT_ONCE = 8;

export interface ToRestore {
  readonly task: Task;
  readonly verdict: Restorable;
}

export class Restorer {
  readonly #recorder: Recorder;
  readonly #remote: Remote | null;
  readonly #staging: StagingArea;
  readonly #waiting = new Heap<ToRestore>((a, b) => a.task.index < b.task.index);
  #underWay = 0;

  constructor({ root, remote }: Pick<Session, "root" | "remote">, recorder: Recorder) {
    this.#recorder = recorder;
    this.#remote = remote;
    this.#staging = new StagingArea(join(root, STAGING, "restore"));
  }

  add(each: ToRestore): void {
    this.#waiting.push(each);
  }

  /** The next task to restore, in the order of the graph; null: none waits, or enough are running. */
  next(): ToRestore | null {
    return this.#underWay < MOST_AT_ONCE && this.#waiting.size > 0 ? this.#waiting.pop() : null;
  }

  /** @returns false if the cached outputs are damaged: then the task has to run */
  async restore({ task, verdict }: ToRestore): Promise<boolean> {
    this.#underWay += 1;
    try {
      const isHere = (await this.#remote?.bring(verdict.cached)) ?? true;
      return isHere && (await this.#putInPlace(task, verdict));
    } finally {
      this.#underWay -= 1;
    }
  }

  async #putInPlace(task: Task, { cached }: Restorable): Promise<boolean> {
    const staging = this.#staging.take(task.outputs);
    try {
      return await this.#recorder.restore(task, cached, staging.paths);
    } finally {
      this.#staging.give(staging);
    }
  }
}
