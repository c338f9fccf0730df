/** Turns for the event loop, in the midst of long work that never waits for anything. */
import { setImmediate } from "node:timers/promises";

/** Milliseconds. */
const BETWEEN = 50;

export class EventLoopTurns {
  #last = performance.now();

  /** To be called often: lets signals, timers and the view have their turn when it is time. */
  async give(): Promise<void> {
    if (performance.now() - this.#last < BETWEEN) return;
    await setImmediate();
    this.#last = performance.now();
  }
}
