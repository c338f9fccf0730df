/** Lets the event loop run during long synchronous work. */
import { setImmediate } from "node:timers/promises";

/** Milliseconds between two turns. */
const BETWEEN = 50;

export class EventLoopTurns {
  #last = performance.now();

  /** Call this often. When it is time, it lets signals, timers and the view run. */
  async give(): Promise<void> {
    if (performance.now() - this.#last < BETWEEN) return;
    await setImmediate();
    this.#last = performance.now();
  }
}
