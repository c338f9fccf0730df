/** Tasks with one key make the same outputs: one of them runs, and the others wait for its result. */
import type { Task } from "../model/model.ts";

export class InFlight {
  /** The tasks that wait, by the key that is queued or running. */
  readonly #waiting = new Map<string, Task[]>();

  /** @returns whether the task should run now; otherwise it waits */
  enter(key: string, task: Task): boolean {
    if (this.waits(key, task)) return false;
    this.#waiting.set(key, []);
    return true;
  }

  /** Adds the task to those that wait. @returns false if no task with that key is queued or running */
  waits(key: string, task: Task): boolean {
    return this.#waiting.get(key)?.push(task) !== undefined;
  }

  /** Call this when the task that ran has ended. @returns the tasks that waited for it */
  leave(key: string): readonly Task[] {
    const waited = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return waited;
  }
}
