/** Lets the event loop run during long synchronous work. */
import { setImmediate } from "node:timers/promises";

/** Milliseconds between two turns. */
const BETWEEN = 50;

export class EventLoopTurns {
  #last = performance.now();

  /** Call this often. When it is time, signals, timers and the view get their turn. */
  async give(): Promise<void> {
    if (performance.now() - this.#last < BETWEEN) return;
    await setImmediate();
    this.#last = performance.now();
  }
}
