/** Tasks with one key make the same outputs: one of them runs, and the others wait for its result. */
import type { Task } from "../model/model.ts";

export class InFlight {
  /** By the key that is queued or running. */
  readonly #waiting = new Map<string, Task[]>();

  /** @returns whether the task is the one to run; else it waits */
  enter(key: string, task: Task): boolean {
    if (this.waits(key, task)) return false;
    this.#waiting.set(key, []);
    return true;
  }

  /** @returns whether one of that key is on its way, and the task waits for it from now on */
  waits(key: string, task: Task): boolean {
    return this.#waiting.get(key)?.push(task) !== undefined;
  }

  /** The one that ran is over. @returns those that waited */
  leave(key: string): readonly Task[] {
    const waited = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return waited;
  }
}
